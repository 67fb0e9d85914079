import TensorKernels
import Testing

@Suite("Row and column kernels of training")
struct BackwardRowsTests {
    static let shapes = [(1, 1), (3, 7), (40, 33), (17, 160), (129, 65)]

    @Test(
        "biases are added, and their gradients are sums with rows ascending",
        arguments: shapes
    )
    func bias(shape: (rows: Int, columns: Int)) {
        var numbers = SeededNumbers(seed: UInt64(shape.rows))
        let y = numbers.floats(shape.rows * shape.columns)
        let bias = numbers.floats(shape.columns)
        for pool in makePools() {
            var (shifted, sums) = (y, bias)
            shifted.apply {
                addRowVector(bias, to: $0, rows: shape.rows, columns: shape.columns, pool: pool)
            }
            sums.apply {
                addColumnSums(of: y, rows: shape.rows, columns: shape.columns, to: $0, pool: pool)
            }
            var expected = bias
            for index in y.indices {
                expected[index % shape.columns] += y[index]
                #expect(shifted[index] == y[index] + bias[index % shape.columns])
            }
            #expect(sums.bits == expected.bits)
        }
    }

    @Test(
        "rows are added to the table in their order, and negative indices skipped",
        arguments: shapes
    )
    func scatter(shape: (rows: Int, columns: Int)) {
        var numbers = SeededNumbers(seed: UInt64(shape.columns))
        let dy = numbers.floats(shape.rows * shape.columns)
        let table = numbers.floats(5 * shape.columns)
        let indices = (0..<shape.rows).map { _ in Int32.random(in: -1..<5, using: &numbers) }
        var expected = table
        for (row, index) in indices.enumerated() where index >= 0 {
            for column in 0..<shape.columns {
                expected[Int(index) * shape.columns + column] += dy[row * shape.columns + column]
            }
        }
        for pool in makePools() {
            var sums = table
            sums.apply {
                scatterAddRows(
                    dy,
                    rows: shape.rows,
                    columns: shape.columns,
                    indices: indices,
                    to: $0,
                    pool: pool
                )
            }
            #expect(sums.bits == expected.bits)
        }
    }

    @Test(
        "rows are rotated by their own positions, with the bits of the kernel for neighbouring ones",
        arguments: [2, 6, 32, 66]
    )
    func rotation(dimension: Int) {
        let table = RotaryTable(headDimension: dimension, theta: 10_000, positions: 50)
        var numbers = SeededNumbers(seed: UInt64(dimension))
        let (rows, heads) = (13, 3)
        let x = numbers.floats(rows * heads * dimension)
        let positions = (0..<rows).map { _ in Int32.random(in: 0..<50, using: &numbers) }
        let width = heads * dimension
        for pool in makePools() {
            var expected: [Float] = []
            for row in 0..<rows {
                var one = Array(x[(row * width)..<((row + 1) * width)])
                one.apply {
                    applyRotary(
                        $0,
                        rows: 1,
                        heads: heads,
                        table: table,
                        firstPosition: Int(positions[row]),
                        pool: pool
                    )
                }
                expected += one
            }
            var y = x
            for inverse in [false, true] {
                y.apply {
                    rotateRows(
                        $0,
                        rows: rows,
                        heads: heads,
                        table: table,
                        positions: positions,
                        inverse: inverse,
                        pool: pool
                    )
                }
                if !inverse { #expect(y.bits == expected.bits) }
            }
            let worst = zip(x, y).map { ($0 - $1).magnitude }.max() ?? 1
            #expect(worst <= 3e-7, "turned forth and back")
        }
    }

    @Test("nothing happens without rows")
    func empty() {
        let pool = makePools()[0]
        let table = RotaryTable(headDimension: 2, theta: 10, positions: 1)
        var y: [Float] = [7]
        y.apply { y in
            addRowVector([1], to: y, rows: 0, columns: 1, pool: pool)
            addColumnSums(of: [], rows: 0, columns: 1, to: y, pool: pool)
            scatterAddRows([], rows: 0, columns: 1, indices: [], to: y, pool: pool)
            rotateRows(
                y,
                rows: 0,
                heads: 1,
                table: table,
                positions: [],
                inverse: false,
                pool: pool
            )
        }
        #expect(y == [7])
    }
}
