import TensorKernels
import Testing

@Suite("The product of training")
struct BackwardProductTests {
    /// One product with both layouts of both operands.
    struct Shape: CustomTestStringConvertible {
        let m: Int
        let n: Int
        let k: Int

        init(_ m: Int, _ n: Int, _ k: Int) {
            self.m = m
            self.n = n
            self.k = k
        }

        var testDescription: String { "[\(m), \(k)] · [\(k), \(n)]" }
    }

    static let layouts: [(OperandLayout, OperandLayout)] = [
        (.rowMajor, .rowMajor), (.rowMajor, .transposed), (.transposed, .rowMajor),
        (.transposed, .transposed),
    ]

    static func transposed(_ x: [Float], rows: Int, columns: Int) -> [Float] {
        var y = [Float](repeating: 0, count: x.count)
        for row in 0..<rows {
            for column in 0..<columns { y[column * rows + row] = x[row * columns + column] }
        }
        return y
    }

    /// The bits that are promised: one chain of fused multiply-adds, k ascending, from 0 or from c.
    static func twin(_ shape: Shape, _ a: [Float], _ b: [Float], startingFrom c: [Float]?)
        -> [Float]
    {
        var y = c ?? [Float](repeating: 0, count: shape.m * shape.n)
        y.withUnsafeMutableBufferPointer { y in
            a.withUnsafeBufferPointer { a in
                b.withUnsafeBufferPointer { b in
                    for row in 0..<shape.m {
                        for step in 0..<shape.k {
                            let factor = a[row * shape.k + step]
                            for column in 0..<shape.n {
                                y[row * shape.n + column]
                                    .addProduct(factor, b[step * shape.n + column])
                            }
                        }
                    }
                }
            }
        }
        return y
    }

    @Test(
        "is one chain of multiply-adds per element in every layout, with any number of threads",
        arguments: [
            Shape(1, 1, 1), Shape(1, 17, 3), Shape(6, 16, 8), Shape(7, 15, 300), Shape(13, 33, 5),
            Shape(100, 20, 270), Shape(131, 45, 31), Shape(32, 48, 530), Shape(5, 100, 257),
            Shape(203, 1, 12),
        ]
    )
    func chains(shape: Shape) {
        let seed = UInt64(shape.m * 1009 + shape.n * 31 + shape.k)
        var numbers = SeededNumbers(seed: seed)
        let a = numbers.floats(shape.m * shape.k)
        let b = numbers.floats(shape.k * shape.n)
        let c = numbers.floats(shape.m * shape.n)
        let turnedA = Self.transposed(a, rows: shape.m, columns: shape.k)
        let turnedB = Self.transposed(b, rows: shape.k, columns: shape.n)
        let expected = [false, true].map { accumulate in
            Self.twin(shape, a, b, startingFrom: accumulate ? c : nil).bits
        }
        for pool in makePools() {
            let workspace = ProductWorkspace()
            for (aLayout, bLayout) in Self.layouts {
                for accumulate in [false, true] {
                    // A guard behind the result shows writes beyond it.
                    var y = (accumulate ? c : c.map { _ in .nan }) + [42]
                    y.apply { y in
                        generalProduct(
                            aLayout == .rowMajor ? a : turnedA,
                            aLayout,
                            bLayout == .rowMajor ? b : turnedB,
                            bLayout,
                            m: shape.m,
                            n: shape.n,
                            k: shape.k,
                            accumulate: accumulate,
                            into: y,
                            workspace: workspace,
                            pool: pool
                        )
                    }
                    #expect(y.last == 42)
                    #expect(
                        Array(y.dropLast()).bits == expected[accumulate ? 1 : 0],
                        "\(aLayout), \(bLayout), accumulate \(accumulate), seed \(seed)"
                    )
                }
            }
        }
    }

    @Test("with nothing to sum up, the result is 0 or stays as it was")
    func empty() {
        let pool = makePools()[1]
        var y: [Float] = [1, 2]
        for accumulate in [true, false] {
            y.apply {
                generalProduct(
                    [],
                    .rowMajor,
                    [],
                    .rowMajor,
                    m: 1,
                    n: 2,
                    k: 0,
                    accumulate: accumulate,
                    into: $0,
                    workspace: ProductWorkspace(),
                    pool: pool
                )
            }
            #expect(y == (accumulate ? [1, 2] : [0, 0]))
        }
    }

    @Test("the workspace grows to the largest product and no further")
    func workspace() {
        let pool = makePools()[0]
        let workspace = ProductWorkspace()
        for size in [20, 40, 10] {
            let x = [Float](repeating: 1, count: size * size)
            var y = x
            y.apply {
                generalProduct(
                    x,
                    .rowMajor,
                    x,
                    .rowMajor,
                    m: size,
                    n: size,
                    k: size,
                    accumulate: false,
                    into: $0,
                    workspace: workspace,
                    pool: pool
                )
            }
            #expect(y.allSatisfy { $0 == Float(size) })
        }
        #expect(workspace.byteCount == ProductWorkspace.byteCount(n: 40, k: 40))
    }
}
