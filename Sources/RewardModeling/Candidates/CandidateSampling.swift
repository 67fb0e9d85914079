import Hashing
package import Inference

/// How the candidates of understanding items are sampled: the part of a job's options that concerns it.
package struct CandidateSampling: Sendable, Equatable {
    /// The name of the model that writes the answers.
    package var policy: String
    /// How many are written for each item; the paper's N.
    package var count = 10
    /// What logits are divided by.
    package var temperature = 0.7
    /// The probability that the kept tokens have together, at least.
    package var topP = 1.0
    /// How many tokens are kept; nil for all.
    package var topK: Int?
    /// The longest answer, in tokens.
    package var maximumTokens = 512
    /// The job's seed.
    package var seed = 0

    /// The usual way of sampling from a model.
    package init(policy: String) {
        self.policy = policy
    }

    /// The longest name of a model, in Unicode scalars as PostgreSQL counts characters.
    private static let maximumNameLength = 200
    /// The options that go with `policy` only.
    static let fields = [
        "candidates", "temperature", "top_p", "top_k", "max_candidate_tokens",
    ]

    /// Reads the options; nil without `policy`.
    init?(_ reader: PayloadReader, seed: Int?) throws(RewardModelingError) {
        guard let name = reader.value("policy") else {
            if let field = Self.fields.first(where: { reader.value($0) != nil }) {
                throw reader.mismatch(field, "the option policy with it")
            }
            return nil
        }
        guard case .string(let policy) = name, !policy.isEmpty,
            policy.unicodeScalars.count <= Self.maximumNameLength
        else { throw reader.mismatch("policy", "the name of a model") }
        self.policy = policy
        func whole(_ name: String, _ range: ClosedRange<Int>) throws(RewardModelingError) -> Int? {
            try reader.number(
                name,
                in: Double(range.lowerBound)...Double(range.upperBound),
                whole: true,
                "a whole number from \(range.lowerBound) to \(range.upperBound)"
            ).map { Int($0) }
        }
        func real(_ name: String, _ maximum: Int) throws(RewardModelingError) -> Double? {
            try reader.number(
                name,
                in: 0.01...Double(maximum),
                whole: false,
                "a number from 0.01 to \(maximum)"
            )
        }
        count = try whole("candidates", 2...ItemPayload.maximumCandidates) ?? count
        temperature = try real("temperature", 2) ?? temperature
        topP = try real("top_p", 1) ?? topP
        topK = try whole("top_k", 1...1_000_000)
        maximumTokens = try whole("max_candidate_tokens", 1...4096) ?? maximumTokens
        self.seed = seed ?? 0
    }

    /// How the tokens of one candidate are chosen.
    package func decoding(item index: Int, candidate place: Int) -> Decoding {
        Decoding(
            sampling: Decoding.Sampling(
                temperature: temperature,
                topP: topP,
                topK: topK,
                seed: Self.seed(job: seed, item: index, candidate: place)
            )
        )
    }

    /// The seed of one candidate: the first eight bytes, the highest first, of SHA-256 over the length-prefixed
    /// fields `candidate seed 1`, the job's seed, the item's place in the job and the candidate's among its
    /// item's, in decimal.
    package static func seed(job seed: Int, item index: Int, candidate place: Int) -> UInt64 {
        var hash = SHA256()
        for text in ["candidate seed 1", "\(seed)", "\(index)", "\(place)"] {
            hash.update(field: text.utf8)
        }
        return hash.digest().bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// What a result says of how its candidates came about, with the digest of the policy's files.
    func json(policyDigest: Digest) -> PayloadValue {
        var fields: [String: PayloadValue] = [
            "policy": .string(policy), "policy_digest": .string(policyDigest.hex),
            "candidates": .number(Double(count)), "temperature": .number(temperature),
            "top_p": .number(topP), "seed": .number(Double(seed)),
            "max_tokens": .number(Double(maximumTokens)),
        ]
        if let topK { fields["top_k"] = .number(Double(topK)) }
        return .object(fields)
    }
}
