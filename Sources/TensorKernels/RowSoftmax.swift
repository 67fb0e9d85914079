internal import Glibc

/// The maximum of a row of logits and the logarithm of the sum of their exponentials.
///
/// `logSumExp` includes the maximum: log softmax of entry i is `x[i] - logSumExp`. The sum is taken
/// in f64 over lanes in a fixed order, because a vocabulary has 150 000 entries.
package func rowLogSoftmax(
    _ x: UnsafePointer<Float>, count: Int
) -> (max: Float, logSumExp: Float) {
    precondition(count > 0, "rowLogSoftmax: expected at least one entry, got \(count)")
    var highest = x[0]
    for index in 1..<max(count, 1) where x[index] > highest { highest = x[index] }
    var sum = 0.0
    for index in 0..<count { sum += exp(Double(x[index] - highest)) }
    return (highest, highest + Float(log(sum)))
}
