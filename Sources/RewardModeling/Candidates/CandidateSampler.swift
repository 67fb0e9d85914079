package import Hashing
package import Inference
import Tokenization
package import VisionPreprocessing

/// Has a policy answer an item's question several times: the candidates of `build_pairs`.
///
/// The policy is shown the picture or clip and then the question, through its own chat template, and nothing
/// about judging. What it writes depends on the job's seed, the item's place and the candidate's place alone.
package struct CandidateSampler: Sendable {
    private let engine: any AnswerEngine
    private let media: any MediaProvider
    private let ledger: any CandidateLedger
    private let sampling: CandidateSampling
    private let task: JudgingTask
    private let view: MediaView
    private let scope: String?

    /// The most candidates put to the engine at a time: they share the prompt's rows.
    private static let concurrency = 32

    /// - Parameters:
    ///   - engine: The policy.
    ///   - frames: Which frames of a video file it is shown.
    ///   - scope: Mixed into fingerprints when answers may not be shared beyond one job.
    package init(
        engine: any AnswerEngine,
        media: any MediaProvider,
        ledger: any CandidateLedger,
        sampling: CandidateSampling,
        task: JudgingTask,
        frames: FrameSampler,
        scope: String?
    ) {
        self.engine = engine
        self.media = media
        self.ledger = ledger
        self.sampling = sampling
        self.task = task
        view = MediaView(sampler: frames)
        self.scope = scope
    }

    /// The candidates of an item, given as the JSON of its payload, or why there are none.
    ///
    /// Throws `CancellationError`, and every other error of engine, media and ledger unchanged; what was
    /// written before is recorded by then.
    package func sample(
        payload json: some Collection<UInt8>,
        item index: Int
    ) async throws -> Result<SampledCandidates, SamplingFailure> {
        do {
            let payload = try ItemPayload(
                json: json,
                kind: .buildPairs,
                task: task,
                candidatesAreSampled: true
            )
            switch try await ItemMedia.load(payload, from: media, views: [view]) {
            case .failure(let error):
                return .failure(SamplingFailure(failure: error.failure, recorded: []))
            case .success(let shown):
                return try await sample(prompt(payload, shown), item: index)
            }
        } catch let error as RewardModelingError {
            return .failure(SamplingFailure(failure: ItemFailure(error), recorded: []))
        }
    }

    private func sample(
        _ prompt: EnginePrompt,
        item index: Int
    ) async throws -> Result<SampledCandidates, SamplingFailure> {
        try Task.checkCancellation()
        let decodings = (0..<sampling.count).map { sampling.decoding(item: index, candidate: $0) }
        let fingerprints = decodings.map { fingerprint(of: prompt, $0) }
        var samples = try await ledger.recallCandidates(fingerprints)
        let missing = fingerprints.indices.filter { samples[fingerprints[$0]] == nil }
        do {
            try await withThrowingTaskGroup(of: SampledCandidate.self) { group in
                var waiting = missing.makeIterator()
                func start() {
                    guard let place = waiting.next() else { return }
                    group.addTask {
                        try await write(
                            prompt,
                            decodings[place],
                            fingerprint: fingerprints[place],
                            item: index,
                            candidate: place
                        )
                    }
                }
                for _ in 0..<Self.concurrency { start() }
                while let sample = try await group.next() {
                    samples[sample.fingerprint] = sample
                    start()
                }
            }
        } catch let error as QuestionFailure {
            let failure = ItemFailure(
                code: error.failure.code,
                message: "policy \(quoted(sampling.policy)): \(error.failure.message)"
            )
            let recorded = fingerprints.filter { samples[$0] != nil }
            return .failure(SamplingFailure(failure: failure, recorded: recorded))
        }
        return .success(
            SampledCandidates(
                fingerprints.compactMap { samples[$0] },
                provenance: sampling.json(policyDigest: engine.modelDigest)
            )
        )
    }

    /// Writes one candidate and records it.
    private func write(
        _ prompt: EnginePrompt,
        _ decoding: Decoding,
        fingerprint: Digest,
        item index: Int,
        candidate place: Int
    ) async throws -> SampledCandidate {
        try Task.checkCancellation()
        let response: GenerateResponse
        do {
            response = try await engine.generate(
                GenerateRequest(
                    prompt: prompt,
                    maximumTokens: sampling.maximumTokens,
                    decoding: decoding
                )
            )
        } catch {
            throw Judge.translated(error, recorded: [])
        }
        let sample = SampledCandidate(
            response,
            fingerprint: fingerprint,
            decoding: record(item: index, candidate: place)
        )
        try await ledger.record(sample)
        return sample
    }

    /// The question as the policy is asked it.
    private func prompt(_ payload: ItemPayload, _ shown: ItemMedia) -> EnginePrompt {
        guard case .understanding(let question, let reference) = payload.context else {
            preconditionFailure("candidates are sampled for understanding tasks only")
        }
        let text = ContentPart.text(question)
        switch reference {
        case .image(let file):
            return EnginePrompt(content: [.image(0), text], images: [shown.image(file, in: view)])
        case .clip(let frames):
            return EnginePrompt(content: [.video(0), text], clips: [shown.clip(frames, in: view)])
        case .video(let file):
            return EnginePrompt(content: [.video(0), text], clips: [shown.video(file, in: view)])
        }
    }

    /// SHA-256 over the length-prefixed fields of everything a candidate's text depends on.
    private func fingerprint(of prompt: EnginePrompt, _ decoding: Decoding) -> Digest {
        guard let draws = decoding.sampling else {
            preconditionFailure("a candidate is drawn")
        }
        var hash = SHA256()
        func add(_ text: String) { hash.update(field: text.utf8) }
        add("candidate 1")
        hash.update(field: engine.modelDigest.bytes)
        add(engine.identity)
        for part in prompt.content {
            switch part {
            case .text(let text): add(text)
            case .image(let place): hash.update(field: prompt.images[place].digest.bytes)
            case .video(let place):
                add("clip")
                hash.update(field: prompt.clips[place].digest.bytes)
            }
        }
        add("\(draws.temperature) \(draws.topP) \(draws.topK ?? 0) \(draws.seed)")
        add("\(sampling.maximumTokens)")
        if let scope { add(scope) }
        return hash.digest()
    }

    /// How a candidate was decoded, as it is recorded with it.
    private func record(item index: Int, candidate place: Int) -> [String: PayloadValue] {
        var fields: [String: PayloadValue] = [
            "temperature": .number(sampling.temperature), "top_p": .number(sampling.topP),
            "seed": .number(Double(sampling.seed)), "item": .number(Double(index)),
            "candidate": .number(Double(place)),
            "max_tokens": .number(Double(sampling.maximumTokens)),
        ]
        if let topK = sampling.topK { fields["top_k"] = .number(Double(topK)) }
        return fields
    }
}

/// The error by which an item has no candidates.
package struct SamplingFailure: Error, Equatable {
    /// Why.
    package let failure: ItemFailure
    /// The candidates recorded before it failed.
    package let recorded: [Digest]

    /// An error from its parts.
    package init(failure: ItemFailure, recorded: [Digest]) {
        self.failure = failure
        self.recorded = recorded
    }
}
