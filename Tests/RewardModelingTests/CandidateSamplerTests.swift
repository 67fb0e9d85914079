import Hashing
import Inference
import RewardModeling
import Synchronization
import Testing
import Tokenization
import VisionPreprocessing

/// A ledger of candidates in memory.
private final class Drawer: CandidateLedger {
    private let rows = Mutex<[Digest: SampledCandidate]>([:])

    var all: [Digest: SampledCandidate] { rows.withLock { $0 } }

    func recallCandidates(_ fingerprints: [Digest]) async throws -> [Digest: SampledCandidate] {
        rows.withLock { rows in rows.filter { fingerprints.contains($0.key) } }
    }

    func record(_ candidate: SampledCandidate) async throws {
        rows.withLock { $0[candidate.fingerprint] = $0[candidate.fingerprint] ?? candidate }
    }
}

@Suite("Sampling candidates")
struct CandidateSamplerTests {
    private static let item = #"{"id":"a","question":"How many dogs?","image":"dogs.png"}"#

    private static func sampling(
        _ change: (inout CandidateSampling) -> Void = { _ in }
    ) -> CandidateSampling {
        var sampling = CandidateSampling(policy: "writer")
        sampling.count = 4
        change(&sampling)
        return sampling
    }

    private func sampler(
        _ engine: ScriptedEngine,
        _ ledger: Drawer = Drawer(),
        _ sampling: CandidateSampling = Self.sampling(),
        task: JudgingTask = .imageUnderstanding,
        media: MemoryMedia = MemoryMedia(),
        scope: String? = nil
    ) -> CandidateSampler {
        CandidateSampler(
            engine: engine,
            media: media,
            ledger: ledger,
            sampling: sampling,
            task: task,
            frames: FrameSampler(),
            scope: scope
        )
    }

    /// Writes the seed it is asked with.
    private static let bySeed = ScriptedEngine(generate: { request in
        "answer \(request.decoding.sampling?.seed ?? 0)"
    })

    @Test("asks the question after the picture, and nothing else, once for each candidate")
    func prompts() async throws {
        let asked = Mutex<[GenerateRequest]>([])
        let engine = ScriptedEngine(generate: { request in
            asked.withLock { $0.append(request) }
            return "a"
        })
        let sampling = Self.sampling {
            $0.temperature = 0.9
            $0.topP = 0.8
            $0.topK = 20
            $0.maximumTokens = 33
            $0.seed = 5
        }
        _ = try await sampler(engine, Drawer(), sampling).sample(
            payload: Self.item.utf8,
            item: 7
        )
        let requests = asked.withLock { $0 }
        #expect(requests.count == 4)
        for request in requests {
            #expect(request.prompt.content == [.image(0), .text("How many dogs?")])
            #expect(request.prompt.images.map(\.digest) == [SHA256.digest("dogs.png".utf8)])
            #expect(request.answerPrefix.isEmpty && request.maximumTokens == 33)
            #expect(request.decoding.repetitionPenalty == 1)
            let draws = try #require(request.decoding.sampling)
            #expect(draws.temperature == 0.9 && draws.topP == 0.8 && draws.topK == 20)
        }
        let seeds = (0..<4).map { CandidateSampling.seed(job: 5, item: 7, candidate: $0) }
        #expect(Set(requests.compactMap(\.decoding.sampling?.seed)) == Set(seeds))
    }

    @Test("the seed of a candidate is the documented one, and differs by job, item and candidate")
    func seeds() {
        var hash = SHA256()
        for text in ["candidate seed 1", "3", "2", "1"] { hash.update(field: text.utf8) }
        let expected = hash.digest().hex.prefix(16)
        let seed = CandidateSampling.seed(job: 3, item: 2, candidate: 1)
        #expect(UInt64(expected, radix: 16) == seed)
        var seen: Set<UInt64> = []
        for job in 0..<5 {
            for item in 0..<20 {
                for candidate in 0..<10 {
                    seen.insert(
                        CandidateSampling.seed(job: job, item: item, candidate: candidate)
                    )
                }
            }
        }
        #expect(seen.count == 1000)
    }

    @Test("what is recorded is not written again, and the rest is, in its place")
    func recall() async throws {
        let whole = Drawer()
        let first = try await sampler(Self.bySeed, whole).sample(payload: Self.item.utf8, item: 0)
            .get()
        #expect(first.texts.count == 4 && whole.all.count == 4)
        let half = Drawer()
        for fingerprint in first.fingerprints.prefix(2) {
            try await half.record(try #require(whole.all[fingerprint]))
        }
        let engine = ScriptedEngine(generate: { "answer \($0.decoding.sampling?.seed ?? 0)" })
        let second = try await sampler(engine, half).sample(payload: Self.item.utf8, item: 0).get()
        #expect(engine.counts.generated == 2)
        #expect(second == first)
    }

    @Test("the fingerprint changes with everything a text depends on")
    func fingerprints() async throws {
        func prints(
            _ item: String = Self.item,
            index: Int = 0,
            digest: String = "model",
            scope: String? = nil,
            _ change: (inout CandidateSampling) -> Void = { _ in }
        ) async throws -> [Digest] {
            let engine = ScriptedEngine(modelDigest: SHA256.digest(digest.utf8))
            return try await sampler(engine, Drawer(), Self.sampling(change), scope: scope)
                .sample(payload: item.utf8, item: index).get().fingerprints
        }
        let base = try await prints()
        #expect(try await prints() == base)
        // The name of the model and the number of candidates decide no text.
        #expect(try await prints { $0.policy = "other" } == base)
        #expect(Array(try await prints { $0.count = 6 }.prefix(4)) == base)
        let others = [
            try await prints(Self.item.replacing("many", with: "few")),
            try await prints(Self.item.replacing("dogs.png", with: "cats.png")),
            try await prints(index: 1), try await prints(digest: "other"),
            try await prints(scope: "job 1"), try await prints { $0.temperature = 0.71 },
            try await prints { $0.topP = 0.99 }, try await prints { $0.topK = 3 },
            try await prints { $0.seed = 1 }, try await prints { $0.maximumTokens = 511 },
        ]
        #expect(Set(others.joined() + base).count == 4 * 11)
    }

    @Test("equal texts are one candidate with a count, and say how they ended")
    func duplicates() async throws {
        let place = Mutex(0)
        let engine = ScriptedEngine(
            finish: .length,
            generate: { _ in
                let number = place.withLock { place in
                    place += 1
                    return place
                }
                return number == 1 ? "b\0" : "a"
            }
        )
        let found = try await sampler(engine, Drawer(), Self.sampling { $0.count = 3 })
            .sample(payload: Self.item.utf8, item: 0).get()
        #expect(found.texts.map(\.count).sorted() == [1, 2])
        #expect(Set(found.texts.map(\.text)) == ["a", "b\u{fffd}"])
        #expect(found.texts.allSatisfy { $0.finish == .length })
        #expect(found.fingerprints.count == 3)
    }

    @Test("provenance and decoding name all that another run needs")
    func provenance() async throws {
        let ledger = Drawer()
        let found = try await sampler(Self.bySeed, ledger, Self.sampling { $0.topK = 20 })
            .sample(payload: Self.item.utf8, item: 3).get()
        #expect(
            found.provenance.json == """
                {"candidates":4,"max_tokens":512,"policy":"writer",\
                "policy_digest":"\(SHA256.digest("model".utf8).hex)","seed":0,\
                "temperature":0.7,"top_k":20,"top_p":1}
                """
        )
        let last = try #require(ledger.all[found.fingerprints[3]])
        #expect(
            last.decoding.json == """
                {"candidate":3,"finish":"stop","item":3,"max_tokens":512,"seed":0,\
                "temperature":0.7,"top_k":20,"top_p":1}
                """
        )
        #expect(last.promptTokens == 100 && last.generatedTokens == 7 && last.seconds == 0.5)
    }

    @Test("a clip is shown as a clip, of frames or of a file")
    func clips() async throws {
        for video in [#"{"frames":["1.png","2.png"]}"#, #""dogs.mp4""#] {
            let asked = Mutex<[GenerateRequest]>([])
            let engine = ScriptedEngine(generate: { request in
                asked.withLock { $0.append(request) }
                return "a"
            })
            _ = try await sampler(engine, task: .videoUnderstanding).sample(
                payload: #"{"question":"What runs?","video":\#(video)}"#.utf8,
                item: 0
            )
            let prompt = try #require(asked.withLock { $0.first }?.prompt)
            #expect(prompt.content == [.video(0), .text("What runs?")])
            #expect(prompt.clips.count == 1 && prompt.images.isEmpty)
        }
    }

    @Test("what is wrong with an item or its prompt fails the item by name, with what was written")
    func failures() async throws {
        let long = ScriptedEngine(generate: { request in
            guard
                request.decoding.sampling?.seed
                    != CandidateSampling.seed(job: 0, item: 0, candidate: 3)
            else {
                throw InferenceError.promptTooLong(needed: 9, limit: 8, imageTokens: 4)
            }
            return "a"
        })
        func code(
            _ item: String,
            _ engine: ScriptedEngine = Self.bySeed,
            task: JudgingTask = .imageUnderstanding,
            missing: Set<MediaReference> = []
        ) async throws -> String {
            let sampler = sampler(engine, task: task, media: MemoryMedia(missing: missing))
            switch try await sampler.sample(payload: item.utf8, item: 0) {
            case .success: return "success"
            case .failure(let error): return error.failure.code
            }
        }
        #expect(try await code(Self.item, long) == "prompt_too_long")
        #expect(try await code(Self.item, missing: [.path("dogs.png")]) == "media_not_found")
        #expect(
            try await code(#"{"question":"q","image":"i","candidates":["a","b"]}"#)
                == "invalid_item"
        )
        #expect(try await code(#"{"caption":"c"}"#, task: .imageGeneration) == "invalid_item")
    }

    @Test("an engine that fails otherwise fails the whole, so that the shard is tried again")
    func engineFailure() async throws {
        let engine = ScriptedEngine(generate: { _ in throw DiskFailure() })
        await #expect(throws: DiskFailure.self) {
            try await sampler(engine).sample(payload: Self.item.utf8, item: 0)
        }
    }
}
