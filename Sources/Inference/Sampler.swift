/// Picks the most probable token, as reward models are decoded; ``TokenSampler`` does the rest.
package enum Sampler {
    /// Index of the largest logit; of equal ones the lowest.
    ///
    /// - Throws: ``InferenceError/notFinite`` when no logit is a number.
    package static func greedy(
        _ logits: UnsafeBufferPointer<Float>
    ) throws(InferenceError) -> Int32 {
        var best = -1
        var bestValue = -Float.infinity
        for index in logits.indices where logits[index] > bestValue {
            best = index
            bestValue = logits[index]
        }
        guard best >= 0, bestValue.isFinite else { throw .notFinite }
        return Int32(best)
    }

    /// The same of logits that were changed.
    static func greedy(_ logits: [Float]) throws(InferenceError) -> Int32 {
        try logits.withUnsafeBufferPointer { buffer throws(InferenceError) in try greedy(buffer) }
    }
}
