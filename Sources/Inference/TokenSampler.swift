import Glibc

/// Chooses the tokens of one answer as a ``Decoding`` says.
///
/// The steps and their order are those of Hugging Face transformers: repetition penalty, temperature, the `topK`
/// largest, the `topP` most probable, then a draw. Penalty and temperature are applied in single precision
/// as there; probabilities are summed in double precision in the order of the tokens, so that equal logits
/// give equal tokens whatever the batch or the threads.
package struct TokenSampler {
    private let decoding: Decoding
    /// Tokens that occurred, each once.
    private var seen: Set<Int32> = []
    /// Draws made.
    private var draws: UInt64 = 0
    /// Penalised logits, and the weight of each token. Kept for their memory.
    private var scores: [Float] = []
    private var weights: [Double] = []

    /// - Parameter context: The prompt's tokens, used if the decoding penalises them.
    package init(_ decoding: Decoding, context: some Sequence<Int32> = []) {
        self.decoding = decoding
        if decoding.repetitionPenalty != 1, decoding.penalizesPrompt { seen = Set(context) }
    }

    /// The next token after those chosen before.
    ///
    /// - Throws: ``InferenceError/notFinite`` when no logit is a number.
    package mutating func next(
        _ logits: UnsafeBufferPointer<Float>
    ) throws(InferenceError) -> Int32 {
        let token: Int32
        if decoding == .greedy { return try Sampler.greedy(logits) }
        scores.removeAll(keepingCapacity: true)
        scores.append(contentsOf: logits)
        penalize()
        if let sampling = decoding.sampling {
            try weigh(sampling)
            token = draw(CounterRandom.unit(seed: sampling.seed, at: draws))
            draws += 1
        } else {
            token = try Sampler.greedy(scores)
        }
        if decoding.repetitionPenalty != 1 { seen.insert(token) }
        return token
    }

    /// The probability of each token for the next draw, in the order of the tokens.
    ///
    /// - Throws: ``InferenceError/notFinite`` when no logit is a number.
    package mutating func probabilities(
        _ logits: [Float]
    ) throws(InferenceError) -> [Double] {
        scores = logits
        penalize()
        try weigh(decoding.sampling ?? Decoding.Sampling(seed: 0))
        let total = weights.reduce(0, +)
        return weights.map { $0 / total }
    }

    // MARK: - Steps

    private mutating func penalize() {
        guard decoding.repetitionPenalty != 1 else { return }
        let penalty = Float(decoding.repetitionPenalty)
        for token in seen where scores.indices.contains(Int(token)) {
            let score = scores[Int(token)]
            scores[Int(token)] = score < 0 ? score * penalty : score / penalty
        }
    }

    /// Gives every token its weight, 0 to those that are left out.
    private mutating func weigh(_ sampling: Decoding.Sampling) throws(InferenceError) {
        let temperature = Float(sampling.temperature)
        var largest = -Float.infinity
        for index in scores.indices {
            scores[index] /= temperature
            largest = max(largest, scores[index].isNaN ? largest : scores[index])
        }
        guard largest.isFinite else { throw .notFinite }
        var least = -Float.infinity
        if let count = sampling.topK, count < scores.count { least = kthLargest(count) }
        weights.removeAll(keepingCapacity: true)
        for score in scores {
            // Whatever is no number has no weight.
            let isKept = score > -.infinity && score >= least
            weights.append(isKept ? exp(Double(score) - Double(largest)) : 0)
        }
        if sampling.topP < 1 { keepMostProbable(sampling.topP) }
    }

    /// Leaves the most probable tokens that have the share together, at least one: a token stays while those
    /// before it have less. Of equal ones the lower comes first.
    private mutating func keepMostProbable(_ share: Double) {
        let total = weights.reduce(0, +)
        // Those at or below the floor have at most 1 - share together, so that the others are enough.
        let floor = total * (1 - share) / Double(weights.count)
        var order = weights.indices.filter { weights[$0] > floor }
        order.sort { (weights[$1], $0) < (weights[$0], $1) }
        // None is above the floor when all are equal and the share is less than a rounding error.
        guard var last = order.first else { return }
        var sum = 0.0
        for index in order where sum < share * total {
            sum += weights[index]
            last = index
        }
        let least = weights[last]
        for index in weights.indices
        where weights[index] < least || weights[index] == least && index > last {
            weights[index] = 0
        }
    }

    /// The token at which the sum of the weights passes a share of all of them.
    private func draw(_ share: Double) -> Int32 {
        let target = weights.reduce(0, +) * share
        var sum = 0.0
        var last = 0
        for index in weights.indices where weights[index] > 0 {
            sum += weights[index]
            last = index
            if sum > target { break }
        }
        return Int32(last)
    }

    /// The k-th largest score, counting equal ones. Sorts the scores of one bucket only.
    private func kthLargest(_ k: Int) -> Float {
        // Bits of a float in the order of its value.
        func key(_ score: Float) -> UInt32 {
            guard !score.isNaN else { return 0 }
            let bits = score.bitPattern
            return bits >> 31 == 1 ? ~bits : bits | 1 << 31
        }
        var counts = [Int](repeating: 0, count: 1 << 16)
        for score in scores { counts[Int(key(score) >> 16)] += 1 }
        var bucket = counts.count - 1
        var above = 0
        while above + counts[bucket] < k {
            above += counts[bucket]
            bucket -= 1
        }
        let inside = scores.filter { Int(key($0) >> 16) == bucket }.sorted { key($0) > key($1) }
        return inside[k - above - 1]
    }
}
