import Foundation
import TensorKernels
import Testing

/// Sequences with random numbers, and the slow twin of their attention in f64.
struct BackwardAttentionCase: CustomTestStringConvertible, Sendable {
    let heads: Int
    let keyValueHeads: Int
    let dimension: Int
    let sequences: [AttentionSequence]
    let rows: Int
    let seed: UInt64
    private(set) var q: [Float]
    private(set) var k: [Float]
    private(set) var v: [Float]
    let dy: [Float]
    /// For each row (sequence, segment), nil where there is none.
    let segments: [(sequence: Int, segment: Int)?]
    /// The keys that each row sees.
    private let visible: [[Int]]

    /// One row more than the sequences have stands at the end.
    init(heads: Int, keyValueHeads: Int, dimension: Int, _ sequences: [AttentionSequence]) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.dimension = dimension
        self.sequences = sequences
        let last = sequences.map { $0.firstRow + $0.rowCount }.max() ?? 0
        rows = last + 1
        seed = UInt64(rows * 131 + heads * 17 + dimension)
        var segments = [(sequence: Int, segment: Int)?](repeating: nil, count: last + 1)
        for (number, sequence) in sequences.enumerated() {
            var row = sequence.firstRow
            for (segment, count) in ([sequence.prefixCount] + sequence.branchCounts).enumerated() {
                for index in row..<(row + count) { segments[index] = (number, segment) }
                row += count
            }
        }
        self.segments = segments
        visible = (0...last).map { row in
            (0...last).filter { key in
                guard let a = segments[row], let b = segments[key] else { return false }
                if a.sequence != b.sequence { return false }
                if !sequences[a.sequence].isCausal { return true }
                return a.segment == b.segment ? key <= row : b.segment == 0
            }
        }
        var numbers = SeededNumbers(seed: seed)
        q = numbers.floats((last + 1) * heads * dimension, scale: 2)
        k = numbers.floats((last + 1) * keyValueHeads * dimension, scale: 2)
        v = numbers.floats((last + 1) * keyValueHeads * dimension)
        dy = numbers.floats((last + 1) * heads * dimension)
    }

    var testDescription: String { "\(heads)/\(keyValueHeads) heads of \(dimension), \(sequences)" }

    /// The same sequences over the first rows of other numbers.
    func with(q: [Float], k: [Float], v: [Float]) -> Self {
        var copy = self
        copy.q = Array(q[..<self.q.count])
        copy.k = Array(k[..<self.k.count])
        copy.v = Array(v[..<self.v.count])
        return copy
    }

    // MARK: - The kernels

    func forward(pool: ComputeThreadPool) -> (y: [Float], logSumExp: [Float]) {
        var y = [Float](repeating: .nan, count: q.count)
        var logSumExp = [Float](repeating: .nan, count: rows * heads)
        y.apply { y in
            logSumExp.apply { logSumExp in
                sequenceAttentionForward(
                    q,
                    k: k,
                    v: v,
                    sequences: sequences,
                    heads: heads,
                    keyValueHeads: keyValueHeads,
                    headDimension: dimension,
                    into: y,
                    logSumExp: logSumExp,
                    pool: pool
                )
            }
        }
        return (y, logSumExp)
    }

    /// Gradients; NaN in rows of no sequence.
    func backward(pool: ComputeThreadPool) -> (dq: [Float], dk: [Float], dv: [Float]) {
        let (y, logSumExp) = forward(pool: pool)
        var dq = q.map { _ in Float.nan }
        var dk = k.map { _ in Float.nan }
        var dv = dk
        dq.apply { dq in
            dk.apply { dk in
                dv.apply { dv in
                    sequenceAttentionBackward(
                        q,
                        k: k,
                        v: v,
                        y: y,
                        dy: dy,
                        logSumExp: logSumExp,
                        sequences: sequences,
                        heads: heads,
                        keyValueHeads: keyValueHeads,
                        headDimension: dimension,
                        into: dq,
                        dk: dk,
                        dv: dv,
                        pool: pool
                    )
                }
            }
        }
        let stride = keyValueHeads * dimension
        for row in 0..<rows where segments[row] == nil {
            let range = (row * stride)..<((row + 1) * stride)
            #expect(dk[range].allSatisfy(\.isNaN) && dv[range].allSatisfy(\.isNaN))
            for index in range { (dk[index], dv[index]) = (0, 0) }
            for index in (row * heads * dimension)..<((row + 1) * heads * dimension) {
                #expect(dq[index].isNaN)
                dq[index] = 0
            }
        }
        return (dq, dk, dv)
    }

    // MARK: - The twin

    /// Σ dy · y in f64.
    func loss(q: [Double], k: [Double], v: [Double]) -> Double {
        BackwardDifferences.dot(twin(q: q, k: k, v: v).y, dy)
    }

    /// Attention as it is written, in f64; 0 in rows of no sequence.
    func twin(q: [Double], k: [Double], v: [Double]) -> (y: [Double], logSumExp: [Double]) {
        var y = [Double](repeating: 0, count: q.count)
        var logSumExp = [Double](repeating: 0, count: rows * heads)
        q.withUnsafeBufferPointer { q in
            k.withUnsafeBufferPointer { k in
                v.withUnsafeBufferPointer { v in
                    for row in 0..<rows {
                        let keys = visible[row]
                        if keys.isEmpty { continue }
                        for head in 0..<heads {
                            let index = row * heads + head
                            let offset = head / (heads / keyValueHeads) * dimension
                            logSumExp[index] = attend(
                                q.extracting((index * dimension)..<((index + 1) * dimension)),
                                keys.map { $0 * keyValueHeads * dimension + offset },
                                k,
                                v,
                                into: &y,
                                at: index * dimension
                            )
                        }
                    }
                }
            }
        }
        return (y, logSumExp)
    }

    private func attend(
        _ q: UnsafeBufferPointer<Double>,
        _ keys: [Int],
        _ k: UnsafeBufferPointer<Double>,
        _ v: UnsafeBufferPointer<Double>,
        into y: inout [Double],
        at target: Int
    ) -> Double {
        let scale = 1 / Double(dimension).squareRoot()
        var scores: [Double] = []
        for key in keys {
            var sum = 0.0
            for index in 0..<dimension { sum += q[index] * k[key + index] }
            scores.append(sum * scale)
        }
        let highest = scores.max() ?? 0
        let total = scores.reduce(0) { $0 + exp($1 - highest) }
        for (key, score) in zip(keys, scores) {
            let weight = exp(score - highest) / total
            for index in 0..<dimension { y[target + index] += weight * v[key + index] }
        }
        return highest + log(total)
    }
}
