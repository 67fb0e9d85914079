import Hashing
import Inference
import RewardModeling
import Synchronization
import Tokenization
import VisionPreprocessing

/// An engine whose answers a test writes down; it counts what it was asked.
final class ScriptedEngine: AnswerEngine {
    struct Counts: Equatable {
        var chosen = 0
        var generated = 0
        var inFlight = 0
        var mostInFlight = 0
        var prompts: [String] = []
    }

    let modelDigest: Digest
    let identity: String
    private let finish: FinishReason
    private let choosing: @Sendable (ChooseRequest) async throws -> [Double]
    private let generating: @Sendable (GenerateRequest) async throws -> String
    private let state = Mutex(Counts())

    init(
        modelDigest: Digest = SHA256.digest("model".utf8),
        identity: String = "scripted 1",
        finish: FinishReason = .stop,
        choose: @escaping @Sendable (ChooseRequest) async throws -> [Double] = { request in
            request.choices.map { _ in 1 / Double(request.choices.count) }
        },
        generate: @escaping @Sendable (GenerateRequest) async throws -> String = { _ in "" }
    ) {
        self.modelDigest = modelDigest
        self.identity = identity
        self.finish = finish
        choosing = choose
        generating = generate
    }

    var counts: Counts { state.withLock { $0 } }

    func choose(_ request: ChooseRequest) async throws -> ChooseResponse {
        enter(request.prompt) { $0.chosen += 1 }
        defer { state.withLock { $0.inFlight -= 1 } }
        let probabilities = try await choosing(request)
        return ChooseResponse(probabilities: probabilities, promptTokens: 100, seconds: 0.5)
    }

    func generate(_ request: GenerateRequest) async throws -> GenerateResponse {
        enter(request.prompt) { $0.generated += 1 }
        defer { state.withLock { $0.inFlight -= 1 } }
        let text = try await generating(request)
        return GenerateResponse(
            text: text,
            promptTokens: 100,
            generatedTokens: 7,
            finishReason: finish,
            seconds: 0.5
        )
    }

    private func enter(_ prompt: EnginePrompt, _ count: (inout Counts) -> Void) {
        state.withLock {
            count(&$0)
            $0.inFlight += 1
            $0.mostInFlight = max($0.mostInFlight, $0.inFlight)
            $0.prompts.append(text(of: prompt))
        }
    }
}

/// The one text of a prompt.
func text(of prompt: EnginePrompt) -> String {
    for case .text(let text) in prompt.content { return text }
    return ""
}

/// A picture of one pixel; its digest is that of the name.
func picture(_ name: String) throws -> EngineImage {
    EngineImage(
        digest: SHA256.digest(name.utf8),
        image: try RGBImage(width: 1, height: 1, pixels: [1, 2, 3])
    )
}

/// A judge's ledger in memory.
final class MemoryLedger: JudgementLedger {
    private let rows = Mutex<[RecordedJudgement]>([])
    private let recording: @Sendable (RecordedJudgement) throws -> Void

    init(
        _ rows: [RecordedJudgement] = [],
        recording: @escaping @Sendable (RecordedJudgement) throws -> Void = { _ in }
    ) {
        self.recording = recording
        self.rows.withLock { $0 = rows }
    }

    var all: [RecordedJudgement] { rows.withLock { $0 } }

    func recall(_ fingerprints: [Digest]) async throws -> [Digest: RecordedJudgement] {
        rows.withLock { rows in
            rows.filter { fingerprints.contains($0.fingerprint) }
                .reduce(into: [:]) { $0[$1.fingerprint] = $0[$1.fingerprint] ?? $1 }
        }
    }

    func record(_ judgement: RecordedJudgement) async throws {
        try recording(judgement)
        rows.withLock { $0.append(judgement) }
    }
}

/// Pictures by name; unknown ones fail as files that are not there do.
final class MemoryMedia: MediaProvider {
    private let loads = Mutex<[MediaReference]>([])
    private let missing: Set<MediaReference>
    private let broken: (any Error)?

    init(missing: Set<MediaReference> = [], broken: (any Error)? = nil) {
        self.missing = missing
        self.broken = broken
    }

    var loaded: [MediaReference] { loads.withLock { $0 } }

    /// A prepared picture is another one, named by its preparation too.
    func image(
        _ reference: MediaReference,
        _ preparation: PicturePreparation
    ) async throws -> EngineImage {
        loads.withLock { $0.append(reference) }
        if let broken { throw broken }
        guard !missing.contains(reference) else { throw MissingMedia() }
        let name =
            switch reference {
            case .path(let path): path
            case .stored(let digest): digest.hex
            }
        return try picture(preparation.isNone ? name : "\(name) \(preparation.description)")
    }

    /// As many frames as the sampler shows of a video of a hundred, each named by file, place and preparation.
    func video(_ reference: MediaReference, _ view: MediaView) async throws -> EngineClip {
        loads.withLock { $0.append(reference) }
        guard !missing.contains(reference) else { throw MissingMedia() }
        let selection = view.sampler.selection(frameCount: 100, framesPerSecond: 10)
        guard case .frames(let indices) = selection else { throw MissingMedia() }
        return EngineClip(
            frames: try indices.map { index in
                let preparation = view.preparation.forFrames(of: indices.count)
                let steps = preparation.isNone ? "" : " \(preparation.description)"
                return try picture("\(reference.json.json) \(index)\(steps)")
            }
        )
    }
}

struct MissingMedia: CodedError {
    let code = "media_not_found"
    let message = "expected a file, got nothing there."
}

struct DiskFailure: Error, Equatable {}

/// A generator whose sequence a seed fixes; tests print the seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
