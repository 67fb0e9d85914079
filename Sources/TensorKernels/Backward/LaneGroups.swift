/// Reads `lanes` (1…8) numbers; the lanes beyond them are 0.
///
/// With a constant 8 it is one load, so full groups and a tail can share a body.
@inline(__always)
func load8(_ x: UnsafePointer<Float>, lanes: Int) -> SIMD8<Float> {
    if lanes == 8 { return load8(x) }
    var value = SIMD8<Float>.zero
    for lane in 0..<lanes { value[lane] = x[lane] }
    return value
}

/// Writes the first `lanes` (1…8) numbers.
@inline(__always)
func store8(_ value: SIMD8<Float>, into y: UnsafeMutablePointer<Float>, lanes: Int) {
    if lanes == 8 { return store8(value, into: y) }
    for lane in 0..<lanes { y[lane] = value[lane] }
}

/// Calls `body(index, lanes)` for the groups of 8 numbers in `range`; the last may be shorter.
@inline(__always)
func forEachLaneGroup(in range: Range<Int>, _ body: (_ index: Int, _ lanes: Int) -> Void) {
    var index = range.lowerBound
    while index + 8 <= range.upperBound {
        body(index, 8)
        index += 8
    }
    if index < range.upperBound { body(index, range.upperBound - index) }
}

/// The same for `count` numbers shared out in tasks of 8 Ki: 32 KiB an operand.
///
/// The result of an element never depends on its place, because a tail goes through the same body.
@inline(__always)
func forEachLaneGroup(
    count: Int,
    pool: ComputeThreadPool,
    _ body: (_ index: Int, _ lanes: Int) -> Void
) {
    guard count > 0 else { return }
    let size = 8 << 10
    pool.run(count: (count + size - 1) / size) { block, _ in
        forEachLaneGroup(in: (block * size)..<min((block + 1) * size, count), body)
    }
}

/// Σ term(index, lanes) over a row of `count` numbers: two chains of vectors for even and odd groups,
/// then their sum, then its lanes. The term must be 0 in lanes beyond the row.
@inline(__always)
func laneGroupSum(
    count: Int,
    _ term: (_ index: Int, _ lanes: Int) -> SIMD8<Float>
) -> Float {
    var even = SIMD8<Float>.zero
    var odd = SIMD8<Float>.zero
    var index = 0
    while index + 16 <= count {
        even += term(index, 8)
        odd += term(index + 8, 8)
        index += 16
    }
    if index + 8 <= count {
        even += term(index, 8)
        index += 8
    }
    if index < count { odd += term(index, count - index) }
    return (even + odd).sum()
}

/// Calls `body` once per row; a task has rows for some 16 Ki numbers.
@inline(__always)
func forEachRow(
    rows: Int,
    columns: Int,
    pool: ComputeThreadPool,
    _ body: (_ row: Int) -> Void
) {
    guard rows > 0 else { return }
    let size = max(1, (16 << 10) / max(columns, 1))
    pool.run(count: (rows + size - 1) / size) { block, _ in
        for row in (block * size)..<min((block + 1) * size, rows) { body(row) }
    }
}
