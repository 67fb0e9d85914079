import TensorKernels
import Testing

/// Rows that stand anywhere are rotated like those that stand in a row.
@Suite("Rotary angles")
struct RotaryAnglesTests {
    @Test(
        "given row by row, copied from a table or computed, have the bits of the table",
        arguments: [2, 6, 24, 64, 128]
    )
    func agreement(dimension: Int) {
        let pool = ComputeThreadPool(threads: 2, name: "test")
        let table = RotaryTable(headDimension: dimension, theta: 1_000_000, positions: 200)
        let frequencies = RotaryFrequencies(headDimension: dimension, theta: 1_000_000)
        var numbers = SeededNumbers(seed: UInt64(dimension))
        let (rows, heads, first, half) = (70, 3, 130, dimension / 2)
        let x = numbers.floats(rows * heads * dimension)
        var expected = x
        expected.withUnsafeMutableBufferPointer { rotated in
            guard let base = rotated.baseAddress else { return }
            applyRotary(
                base,
                rows: rows,
                heads: heads,
                table: table,
                firstPosition: first,
                pool: pool
            )
        }

        var (cosines, sines) = ([Float](repeating: 0, count: rows * half), [Float]())
        sines = cosines
        cosines.withUnsafeMutableBufferPointer { cosines in
            sines.withUnsafeMutableBufferPointer { sines in
                guard let cosines = cosines.baseAddress, let sines = sines.baseAddress else {
                    return
                }
                table.copy(first: first, rows: rows, cosines: cosines, sines: sines)
            }
        }
        for row in 0..<rows {
            for index in 0..<half {
                let angle = frequencies.angle(index, position: first + row)
                #expect(angle.cosine == cosines[row * half + index])
                #expect(angle.sine == sines[row * half + index])
            }
        }
        var y = x
        y.withUnsafeMutableBufferPointer { rotated in
            cosines.withUnsafeBufferPointer { cosines in
                sines.withUnsafeBufferPointer { sines in
                    guard let base = rotated.baseAddress, let cosines = cosines.baseAddress,
                        let sines = sines.baseAddress
                    else { return }
                    applyRotary(
                        base,
                        rows: rows,
                        heads: heads,
                        headDimension: dimension,
                        angles: RotaryAngles(cosines: cosines, sines: sines),
                        pool: pool
                    )
                }
            }
        }
        #expect(y.map(\.bitPattern) == expected.map(\.bitPattern))
    }
}
