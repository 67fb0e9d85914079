internal import Glibc

/// Which keys a query sees.
package enum AttentionMask: Sendable { case causal, full }

/// y = softmax(q·Kᵀ / √d)·V.
package func attention(
    _ q: UnsafePointer<Float>, rows: Int, heads: Int, cache: KeyValueCache, mask: AttentionMask,
    into y: UnsafeMutablePointer<Float>, pool: ComputeThreadPool
) {
    let d = cache.headDimension
    let stride = cache.keyValueHeads * d
    let group = heads / cache.keyValueHeads
    for row in 0..<rows {
        let limit = mask == .full ? cache.count : cache.count - rows + row + 1
        for head in 0..<heads {
            let q = q + (row * heads + head) * d
            let offset = head / group * d
            var scores = (0..<limit).map { key in
                (0..<d).reduce(Float(0)) { $0 + q[$1] * cache.keys[key * stride + offset + $1] }
                    / Float(d).squareRoot()
            }
            let highest = scores.max() ?? 0
            for i in scores.indices { scores[i] = expf(scores[i] - highest) }
            let sum = scores.reduce(0, +)
            for c in 0..<d {
                var total: Float = 0
                for key in 0..<limit { total += scores[key] * cache.values[key * stride + offset + c] }
                y[(row * heads + head) * d + c] = total / sum
            }
        }
    }
}
