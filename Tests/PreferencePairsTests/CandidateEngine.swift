import Hashing
import Inference
import RewardModeling
import Synchronization
import Tokenization
import VisionPreprocessing

/// An engine that knows how good each picture is, and a clip by its last frame; it may have the
/// faults real models have.
///
/// Its answers depend on the prompt alone, never on what it was asked before.
final class CandidateEngine: AnswerEngine {
    struct Fault {
        /// The probability of the picture shown first, whatever the pictures; nil to look at them.
        var firstShown: Double?
        /// Throws instead of answering when this says so. Gets the pictures' names.
        var failure: @Sendable ([String], _ isComparison: Bool) throws -> Void = { _, _ in }
        /// What is written instead of a free answer.
        var babble: String?
        /// Pictures whose probabilities are none.
        var undefined: Set<String> = []
    }

    let modelDigest = SHA256.digest("candidate engine".utf8)
    let identity = "candidate engine 1"
    private let quality: [Digest: (name: String, value: Double)]
    private let fault: Fault
    private let asked = Mutex(0)

    /// - Parameter quality: From 1 to 5, by the picture's path.
    init(_ quality: [String: Double], fault: Fault = Fault()) {
        self.quality = quality.reduce(into: [:]) {
            $0[SHA256.digest($1.key.utf8)] = ($1.key, $1.value)
        }
        self.fault = fault
    }

    /// How often it was asked.
    var count: Int { asked.withLock { $0 } }

    func choose(_ request: ChooseRequest) async throws -> ChooseResponse {
        let shown = try look(at: request.prompt)
        for _ in 0..<shown.count * 3 { await Task.yield() }
        let isUndefined = shown.contains { fault.undefined.contains($0.name) }
        let isVerdict = shown.count == 2 && request.choices.count == 3
        // Of two numbers asked about one after the other the second is the second picture's.
        let own = request.answerPrefix.hasSuffix("2: ") ? shown[shown.count - 1] : shown[0]
        let shares = isVerdict ? compare(shown) : rate(own.value, request.choices.count)
        return ChooseResponse(
            probabilities: isUndefined ? shares.map { _ in .nan } : shares,
            promptTokens: 10,
            seconds: 0
        )
    }

    func generate(_ request: GenerateRequest) async throws -> GenerateResponse {
        let shown = try look(at: request.prompt)
        let text =
            fault.babble
            ?? (shown.count == 1
                ? "Final Score: \(shown[0].value)"
                : [
                    "Image 1 is better than Image 2.", "Image 2 is better than Image 1.",
                    "Both images are equally good.",
                ][
                    compare(shown).enumerated().max { $0.element < $1.element }?.offset ?? 2
                ])
        return GenerateResponse(
            text: text,
            promptTokens: 10,
            generatedTokens: 5,
            finishReason: .stop,
            seconds: 0
        )
    }

    private func look(at prompt: EnginePrompt) throws -> [(name: String, value: Double)] {
        asked.withLock { $0 += 1 }
        let shown = (prompt.images + prompt.clips.compactMap(\.frames.last))
            .map { quality[$0.digest] ?? ("unknown", 1) }
        try fault.failure(shown.map(\.name), shown.count == 2)
        return shown
    }

    /// In the order of the built-in choices: first, second, tie.
    private func compare(_ shown: [(name: String, value: Double)]) -> [Double] {
        if let first = fault.firstShown { return [first, (1 - first) * 0.75, (1 - first) * 0.25] }
        if shown[0].value == shown[1].value { return [0.25, 0.25, 0.5] }
        return shown[0].value > shown[1].value ? [0.75, 0.125, 0.125] : [0.125, 0.75, 0.125]
    }

    /// All on the two numerals next to the value, so that the expected value is the value.
    private func rate(_ value: Double, _ count: Int) -> [Double] {
        (1...count).map { max(0, 1 - abs(Double($0) - value)) }
    }
}

/// Pictures that are there under any path but some.
struct CandidatePictures: MediaProvider {
    var missing: Set<String> = []

    func image(
        _ reference: MediaReference,
        _ preparation: PicturePreparation
    ) async throws -> EngineImage {
        guard case .path(let path) = reference, !missing.contains(path) else { throw NoPicture() }
        return EngineImage(
            digest: SHA256.digest(path.utf8),
            image: try RGBImage(width: 1, height: 1, pixels: [0, 0, 0])
        )
    }
}

struct NoPicture: CodedError {
    let code = "media_not_found"
    let message = "expected a file, got nothing there."
}

/// A ledger in memory that may break after some judgements, as a killed daemon does.
final class CandidateLedger: JudgementLedger {
    private let rows = Mutex<[Digest: RecordedJudgement]>([:])
    private let capacity: Int

    init(_ rows: [RecordedJudgement] = [], breaksAfter capacity: Int = .max) {
        self.capacity = capacity
        self.rows.withLock { $0 = rows.reduce(into: [:]) { $0[$1.fingerprint] = $1 } }
    }

    var all: [RecordedJudgement] { rows.withLock { Array($0.values) } }

    func recall(_ fingerprints: [Digest]) async throws -> [Digest: RecordedJudgement] {
        rows.withLock { rows in rows.filter { fingerprints.contains($0.key) } }
    }

    func record(_ judgement: RecordedJudgement) async throws {
        try rows.withLock { rows in
            guard rows.count < capacity else { throw PowerCut() }
            rows[judgement.fingerprint] = rows[judgement.fingerprint] ?? judgement
        }
    }
}

struct PowerCut: Error {}

/// A generator whose sequence a seed fixes; tests print the seed.
struct SplitMix: RandomNumberGenerator {
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
