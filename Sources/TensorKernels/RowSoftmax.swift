internal import Glibc

/// The maximum of a row of logits and the logarithm of the sum of their exponentials.
///
/// `logSumExp` includes the maximum: log softmax of entry i is `x[i] - logSumExp`. Exponentials are f32;
/// they are added in f64 blocks of 1024 in a fixed order, because a vocabulary has 150 000 entries.
package func rowLogSoftmax(
    _ x: UnsafePointer<Float>,
    count: Int
) -> (max: Float, logSumExp: Float) {
    precondition(count > 0, "rowLogSoftmax: expected at least one entry, got \(count)")
    let highest = maximum(x, count: count)
    var total = 0.0
    for start in stride(from: 0, to: count, by: 1024) {
        let end = min(start + 1024, count)
        var lanes = SIMD8<Float>.zero
        var index = start
        while index + 8 <= end {
            lanes += exponential(load8(x + index) - highest)
            index += 8
        }
        total += Double(lanes.sum())
        while index < end {
            total += Double(exponential(SIMD8(repeating: x[index] - highest))[0])
            index += 1
        }
    }
    return (highest, Float(Double(highest) + log(total)))
}

private func maximum(_ x: UnsafePointer<Float>, count: Int) -> Float {
    var result = x[0]
    var index = 0
    if count >= 8 {
        var lanes = load8(x)
        while index + 8 <= count {
            let next = load8(x + index)
            lanes.replace(with: next, where: next .> lanes)
            index += 8
        }
        for lane in 0..<8 where lanes[lane] > result { result = lanes[lane] }
    }
    while index < count {
        if x[index] > result { result = x[index] }
        index += 1
    }
    return result
}

/// x = e^(x - logSumExp) in place: the probabilities of a row of logits.
package func rowSoftmax(_ x: UnsafeMutablePointer<Float>, count: Int) {
    let logSumExp = rowLogSoftmax(x, count: count).logSumExp
    var index = 0
    while index + 8 <= count {
        store8(exponential(load8(x + index) - logSumExp), into: x + index)
        index += 8
    }
    while index < count {
        x[index] = exponential(SIMD8(repeating: x[index] - logSumExp))[0]
        index += 1
    }
}
