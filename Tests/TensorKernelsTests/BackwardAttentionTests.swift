import Foundation
import TensorKernels
import Testing

@Suite("Attention over sequences with branches")
struct BackwardAttentionTests {
    static let cases: [BackwardAttentionCase] = [
        .init(heads: 1, keyValueHeads: 1, dimension: 1, [.init(firstRow: 0, prefixCount: 1)]),
        .init(
            heads: 4,
            keyValueHeads: 2,
            dimension: 16,
            [
                .init(firstRow: 0, prefixCount: 9, branchCounts: [3, 1, 8]),
                .init(firstRow: 21, prefixCount: 1),
                .init(firstRow: 22, prefixCount: 0, branchCounts: [5, 0, 2]),
            ]
        ),
        .init(
            heads: 3,
            keyValueHeads: 1,
            dimension: 24,
            [.init(firstRow: 2, prefixCount: 37, branchCounts: [19])]
        ),
        .init(
            heads: 2,
            keyValueHeads: 2,
            dimension: 33,
            [
                .init(firstRow: 0, prefixCount: 36, isCausal: false),
                .init(firstRow: 36, prefixCount: 25, isCausal: false),
                .init(firstRow: 61, prefixCount: 0),
            ]
        ),
        .init(
            heads: 1,
            keyValueHeads: 1,
            dimension: 8,
            [.init(firstRow: 0, prefixCount: 140, branchCounts: [10, 131])]
        ),
        .init(
            heads: 2,
            keyValueHeads: 1,
            dimension: 12,
            [.init(firstRow: 0, prefixCount: 150, isCausal: false)]
        ),
    ]

    @Test("forward is within 2e-5 of f64, and leaves rows of no sequence alone", arguments: cases)
    func forward(this: BackwardAttentionCase) {
        let (y, logSumExp) = this.forward(pool: makePools()[1])
        let twin = this.twin(
            q: this.q.map(Double.init),
            k: this.k.map(Double.init),
            v: this.v.map(Double.init)
        )
        for index in y.indices {
            let isInside = this.segments[index / (this.heads * this.dimension)] != nil
            let error = (Double(y[index]) - twin.y[index]).magnitude
            #expect(isInside ? error <= 2e-5 : y[index].isNaN, "y[\(index)]")
        }
        for index in logSumExp.indices where this.segments[index / this.heads] != nil {
            let error = (Double(logSumExp[index]) - twin.logSumExp[index]).magnitude
            #expect(error <= 1e-5 * max(1, twin.logSumExp[index].magnitude), "sum \(index)")
        }
    }

    @Test("backward agrees with differences in f64 at chosen numbers", arguments: cases)
    func backward(this: BackwardAttentionCase) {
        var numbers = SeededNumbers(seed: this.seed + 1)
        let gradients = this.backward(pool: makePools()[1])
        let (q, k, v) = (
            this.q.map(Double.init), this.k.map(Double.init), this.v.map(Double.init)
        )
        let chosen = this.rows > 100 ? 2 : 12
        BackwardDifferences.check(
            gradients.dq,
            of: { this.loss(q: $0, k: k, v: v) },
            at: this.q,
            count: chosen,
            bound: 3e-5,
            numbers: &numbers,
            "dq"
        )
        BackwardDifferences.check(
            gradients.dk,
            of: { this.loss(q: q, k: $0, v: v) },
            at: this.k,
            count: chosen,
            bound: 3e-5,
            numbers: &numbers,
            "dk"
        )
        BackwardDifferences.check(
            gradients.dv,
            of: { this.loss(q: q, k: k, v: $0) },
            at: this.v,
            count: chosen,
            bound: 3e-5,
            numbers: &numbers,
            "dv"
        )
    }

    /// One difference along a random direction sees every number of the gradient.
    @Test(
        "backward agrees with a difference along a direction, also when keys exceed the scratch memory",
        arguments: cases + [
            .init(
                heads: 1,
                keyValueHeads: 1,
                dimension: 256,
                [.init(firstRow: 0, prefixCount: 165, branchCounts: [20, 30])]
            )
        ]
    )
    func direction(this: BackwardAttentionCase) {
        var numbers = SeededNumbers(seed: this.seed + 2)
        let gradients = this.backward(pool: makePools()[1])
        let directions = [this.q, this.k, this.v].map { numbers.floats($0.count) }
        let step = 1e-4
        let losses = [step, -step].map { step in
            let moved = zip([this.q, this.k, this.v], directions).map { x, direction in
                zip(x, direction).map { Double($0) + step * Double($1) }
            }
            return this.loss(q: moved[0], k: moved[1], v: moved[2])
        }
        let slope = (losses[0] - losses[1]) / (2 * step)
        var product = 0.0
        for (gradient, direction) in zip([gradients.dq, gradients.dk, gradients.dv], directions) {
            for index in gradient.indices where !gradient[index].isNaN {
                product += Double(gradient[index]) * Double(direction[index])
            }
        }
        #expect(
            (product - slope).magnitude <= 1e-4 * max(1, slope.magnitude),
            "\(product), slope \(slope), seed \(this.seed)"
        )
    }

    @Test("any number of threads gives the same bits", arguments: cases)
    func bits(this: BackwardAttentionCase) {
        var expected: [[UInt32]]?
        for pool in makePools() {
            let (y, logSumExp) = this.forward(pool: pool)
            let gradients = this.backward(pool: pool)
            let bits = [y, logSumExp, gradients.dq, gradients.dk, gradients.dv].map(\.bits)
            if let expected { #expect(bits == expected, "\(pool.threadCount) threads") }
            expected = bits
        }
    }

    @Test("keys that exceed the scratch memory give the same forward result within 3e-5")
    func longKeys() {
        let this = BackwardAttentionCase(
            heads: 1,
            keyValueHeads: 1,
            dimension: 256,
            [.init(firstRow: 0, prefixCount: 300, branchCounts: [45, 20])]
        )
        let (y, _) = this.forward(pool: makePools()[1])
        let twin = this.twin(
            q: this.q.map(Double.init),
            k: this.k.map(Double.init),
            v: this.v.map(Double.init)
        ).y
        let worst = zip(y, twin).map { (Double($0) - $1).magnitude }.max() ?? .nan
        #expect(worst <= 3e-5)
    }

    @Test("a branch gives the same as the prefix and this branch alone")
    func branchAlone() {
        let together = BackwardAttentionCase(
            heads: 2,
            keyValueHeads: 1,
            dimension: 16,
            [.init(firstRow: 0, prefixCount: 21, branchCounts: [7, 13])]
        )
        let alone = BackwardAttentionCase(
            heads: 2,
            keyValueHeads: 1,
            dimension: 16,
            [.init(firstRow: 0, prefixCount: 21, branchCounts: [7])]
        )
        let pool = makePools()[0]
        let y = together.forward(pool: pool).y
        let rest = alone.with(q: together.q, k: together.k, v: together.v).forward(pool: pool).y
        let count = 28 * 2 * 16
        let isSame = Array(y[..<count]).bits == Array(rest[..<count]).bits
        #expect(isSame)
    }
}
