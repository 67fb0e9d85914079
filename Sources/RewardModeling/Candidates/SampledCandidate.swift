package import Hashing
package import Inference

/// One answer a policy wrote, as the `judgement` table keeps it with the kind `candidate`.
package struct SampledCandidate: Sendable, Equatable {
    /// The primary key: SHA-256 over everything the text depends on.
    package let fingerprint: Digest
    /// What the model wrote, U+0000 replaced by U+FFFD since PostgreSQL's `text` cannot hold it.
    package let text: String
    /// Why it ended there: an answer of the most tokens was cut off.
    package let finish: FinishReason
    /// How it was decoded: `temperature`, `top_p`, `seed` and the like, with `finish`.
    package let decoding: PayloadValue
    /// The length of the prompt with its pictures.
    package let promptTokens: Int
    /// Tokens of the text.
    package let generatedTokens: Int
    /// How long the engine worked on it.
    package let seconds: Double

    /// A candidate from its parts; nil when the decoding does not say how it ended.
    package init?(
        fingerprint: Digest,
        text: String,
        decoding: PayloadValue,
        promptTokens: Int,
        generatedTokens: Int,
        seconds: Double
    ) {
        guard case .object(let fields) = decoding, case .string(let word)? = fields["finish"],
            let finish = FinishReason(rawValue: word)
        else { return nil }
        self.fingerprint = fingerprint
        self.text = text
        self.finish = finish
        self.decoding = decoding
        self.promptTokens = promptTokens
        self.generatedTokens = generatedTokens
        self.seconds = seconds
    }

    /// What an engine wrote.
    init(
        _ response: GenerateResponse,
        fingerprint: Digest,
        decoding fields: [String: PayloadValue]
    ) {
        var fields = fields
        fields["finish"] = .string(response.finishReason.rawValue)
        self.fingerprint = fingerprint
        text = withoutNull(response.text)
        finish = response.finishReason
        decoding = .object(fields)
        promptTokens = response.promptTokens
        generatedTokens = response.generatedTokens
        seconds = response.seconds
    }
}

/// Where sampled candidates are kept: in the daemon, beside the judgements.
package protocol CandidateLedger: Sendable {
    /// The candidates recorded under these fingerprints, by any job; those unknown are left out.
    func recallCandidates(_ fingerprints: [Digest]) async throws -> [Digest: SampledCandidate]

    /// Takes one candidate as soon as it is written. The same fingerprint may come twice; the first stays.
    func record(_ candidate: SampledCandidate) async throws
}

/// The candidates of one item, each text once.
package struct SampledCandidates: Sendable, Equatable {
    /// A text, how often it was written, and how its first writing ended.
    package struct Text: Sendable, Equatable {
        package let text: String
        package var count: Int
        package let finish: FinishReason
    }

    /// In the order they were first written.
    package private(set) var texts: [Text] = []
    /// Of every writing, in order.
    package let fingerprints: [Digest]
    /// How they came about: `policy`, `policy_digest`, `temperature`, ….
    package let provenance: PayloadValue

    /// Merges equal texts: what a policy writes twice is no choice between two.
    package init(_ samples: [SampledCandidate], provenance: PayloadValue) {
        for sample in samples {
            if let place = texts.firstIndex(where: { $0.text == sample.text }) {
                texts[place].count += 1
            } else {
                texts.append(Text(text: sample.text, count: 1, finish: sample.finish))
            }
        }
        fingerprints = samples.map(\.fingerprint)
        self.provenance = provenance
    }

    /// A result's `candidates`: `[{"text": …, "count": 1, "finish": "stop"}]`.
    package var json: PayloadValue {
        .array(
            texts.map {
                .object([
                    "text": .string($0.text), "count": .number(Double($0.count)),
                    "finish": .string($0.finish.rawValue),
                ])
            }
        )
    }
}
