/// Copies `rows` (1…6) rows of x so that the numbers of one k lie side by side: [steps][rows].
///
/// The microkernel then reads one stream with short addresses. Writes up to 7 numbers beyond the end;
/// numbers written beyond a step are overwritten by the next one.
///
/// - Parameters:
///   - x: first number of the first row; the rows lie `stride` numbers apart.
func interleaveRows(
    _ x: UnsafePointer<Float>,
    rows: Int,
    stride: Int,
    steps: Int,
    into y: UnsafeMutablePointer<Float>
) {
    // Rows that do not exist repeat the last one; their lanes are overwritten.
    let row0 = x
    let row1 = x + min(1, rows - 1) * stride
    let row2 = x + min(2, rows - 1) * stride
    let row3 = x + min(3, rows - 1) * stride
    let row4 = x + min(4, rows - 1) * stride
    let row5 = x + min(5, rows - 1) * stride
    var y = y
    var k = 0
    while k + 4 <= steps {
        let (a0, a1, a2, a3) = transpose(
            load4(row0 + k),
            load4(row1 + k),
            load4(row2 + k),
            load4(row3 + k)
        )
        let e = load4(row4 + k)
        let f = load4(row5 + k)
        let low = SIMD4(e[0], f[0], e[1], f[1])
        let high = SIMD4(e[2], f[2], e[3], f[3])
        store(a0, low.lowHalf, into: y)
        store(a1, low.highHalf, into: y + rows)
        store(a2, high.lowHalf, into: y + 2 * rows)
        store(a3, high.highHalf, into: y + 3 * rows)
        y += 4 * rows
        k += 4
    }
    while k < steps {
        let ef = SIMD2(row4[k], row5[k])
        store(SIMD4(row0[k], row1[k], row2[k], row3[k]), ef, into: y)
        y += rows
        k += 1
    }
}

@inline(__always)
private func load4(_ x: UnsafePointer<Float>) -> SIMD4<Float> {
    UnsafeRawPointer(x).loadUnaligned(as: SIMD4<Float>.self)
}

@inline(__always)
private func store(
    _ first: SIMD4<Float>,
    _ last: SIMD2<Float>,
    into y: UnsafeMutablePointer<Float>
) {
    UnsafeMutableRawPointer(y).storeBytes(of: first, as: SIMD4<Float>.self)
    UnsafeMutableRawPointer(y + 4).storeBytes(of: last, as: SIMD2<Float>.self)
}

/// Columns of the 4 × 4 matrix with these rows; unpacks and moves, no memory.
@inline(__always)
private func transpose(
    _ a: SIMD4<Float>,
    _ b: SIMD4<Float>,
    _ c: SIMD4<Float>,
    _ d: SIMD4<Float>
) -> (SIMD4<Float>, SIMD4<Float>, SIMD4<Float>, SIMD4<Float>) {
    let abLow = SIMD4(a[0], b[0], a[1], b[1])
    let abHigh = SIMD4(a[2], b[2], a[3], b[3])
    let cdLow = SIMD4(c[0], d[0], c[1], d[1])
    let cdHigh = SIMD4(c[2], d[2], c[3], d[3])
    return (
        SIMD4(lowHalf: abLow.lowHalf, highHalf: cdLow.lowHalf),
        SIMD4(lowHalf: abLow.highHalf, highHalf: cdLow.highHalf),
        SIMD4(lowHalf: abHigh.lowHalf, highHalf: cdHigh.lowHalf),
        SIMD4(lowHalf: abHigh.highHalf, highHalf: cdHigh.highHalf)
    )
}
