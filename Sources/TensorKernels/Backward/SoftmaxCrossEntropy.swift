/// Softmax and cross entropy of every row, and their gradient in the place of the logits.
///
/// logits = weight · (softmax(logits) - [column is the target]), losses = weight · (-log p(target)).
///
/// - Parameters:
///   - logits: [rows, vocabulary].
///   - targets: [rows]; a row with a negative target has loss 0 and gradient 0, and is not correct.
///   - weights: [rows].
///   - losses: [rows].
///   - correct: [rows], 1 where the first of the highest logits is the target's.
package func softmaxCrossEntropy(
    _ logits: UnsafeMutablePointer<Float>,
    rows: Int,
    vocabulary: Int,
    targets: UnsafePointer<Int32>,
    weights: UnsafePointer<Float>,
    losses: UnsafeMutablePointer<Float>,
    correct: UnsafeMutablePointer<UInt8>,
    pool: ComputeThreadPool
) {
    forEachRow(rows: rows, columns: vocabulary, pool: pool) { row in
        let x = logits + row * vocabulary
        let target = Int(targets[row])
        guard target >= 0 else {
            x.update(repeating: 0, count: vocabulary)
            losses[row] = 0
            correct[row] = 0
            return
        }
        precondition(
            target < vocabulary,
            "softmaxCrossEntropy: expected targets below \(vocabulary), got \(target)"
        )
        let (highest, logSumExp) = rowLogSoftmax(x, count: vocabulary)
        let isHighest = x[target] == highest && !contains(highest, in: x, count: target)
        let weight = weights[row]
        losses[row] = weight * (logSumExp - x[target])
        correct[row] = isHighest ? 1 : 0
        forEachLaneGroup(in: 0..<vocabulary) { column, lanes in
            let p = exponential(load8(x + column, lanes: lanes) - logSumExp)
            store8(p * weight, into: x + column, lanes: lanes)
        }
        x[target] -= weight
    }
}

private func contains(_ value: Float, in x: UnsafePointer<Float>, count: Int) -> Bool {
    for index in 0..<count where x[index] == value { return true }
    return false
}
