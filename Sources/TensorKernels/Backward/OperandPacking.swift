/// Copies b [steps, columns] into panels of 16 columns, [⌈columns/16⌉][steps][16], columns beyond the
/// last being 0: what the microkernel reads in one ascending stream.
func packPanels(
    _ b: UnsafePointer<Float>,
    _ layout: OperandLayout,
    columns: Int,
    steps: Int,
    into packed: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    let panels = (columns + 15) / 16
    switch layout {
    case .rowMajor:
        // Rows in their order, so that memory is read in one stream.
        let size = max(4, (8 << 10) / columns)
        pool.run(count: (steps + size - 1) / size) { block, _ in
            for step in (block * size)..<min((block + 1) * size, steps) {
                for panel in 0..<panels {
                    copyStep(
                        b + step * columns + panel * 16,
                        columns: min(16, columns - panel * 16),
                        into: packed + (panel * steps + step) * 16
                    )
                }
            }
        }
    case .transposed:
        pool.run(count: panels) { panel, _ in
            transposePanel(
                b + panel * 16 * steps,
                rows: min(16, columns - panel * 16),
                stride: steps,
                steps: steps,
                into: packed + panel * steps * 16
            )
        }
    }
}

/// Copies 1…16 numbers and fills up with 0.
@inline(__always)
private func copyStep(
    _ x: UnsafePointer<Float>,
    columns: Int,
    into step: UnsafeMutablePointer<Float>
) {
    if columns == 16 { return store16(load16(x), into: step) }
    store16(.zero, into: step)
    for column in 0..<columns { step[column] = x[column] }
}

/// One panel [steps][16] whose columns are 1…16 rows of x, `stride` numbers apart; columns without a row
/// repeat the last one, so they are as finite as it is, and their products must not be used.
///
/// Takes four steps of all rows at a time: the lines of all rows are then fetched side by side.
func transposePanel(
    _ x: UnsafePointer<Float>,
    rows: Int,
    stride: Int,
    steps: Int,
    into panel: UnsafeMutablePointer<Float>
) {
    var offsets = InlineArray<16, Int>(repeating: 0)
    for row in 0..<16 { offsets[row] = min(row, rows - 1) * stride }
    var step = 0
    while step + 4 <= steps {
        let source = x + step
        let target = panel + step &* 16
        for quad in 0..<4 {
            let a = load4(source + offsets[quad &* 4])
            let b = load4(source + offsets[quad &* 4 &+ 1])
            let c = load4(source + offsets[quad &* 4 &+ 2])
            let d = load4(source + offsets[quad &* 4 &+ 3])
            let abLow = SIMD4(a[0], b[0], a[1], b[1])
            let abHigh = SIMD4(a[2], b[2], a[3], b[3])
            let cdLow = SIMD4(c[0], d[0], c[1], d[1])
            let cdHigh = SIMD4(c[2], d[2], c[3], d[3])
            let lanes = target + quad &* 4
            store4(SIMD4(lowHalf: abLow.lowHalf, highHalf: cdLow.lowHalf), into: lanes)
            store4(SIMD4(lowHalf: abLow.highHalf, highHalf: cdLow.highHalf), into: lanes + 16)
            store4(SIMD4(lowHalf: abHigh.lowHalf, highHalf: cdHigh.lowHalf), into: lanes + 32)
            store4(SIMD4(lowHalf: abHigh.highHalf, highHalf: cdHigh.highHalf), into: lanes + 48)
        }
        step &+= 4
    }
    while step < steps {
        for row in 0..<16 { panel[step &* 16 &+ row] = x[offsets[row] &+ step] }
        step &+= 1
    }
}

/// The rows of a transposed operand in tiles for the microkernel: tile t becomes [steps][its rows].
///
/// Tile by tile: its lines are read again by the next ones, but one stream of writes is worth more than
/// one of reads. 16 steps of all tiles at a time were 5–10 % slower over the whole product, 1 step 15–30 %.
///
/// - Parameters:
///   - x: the first row's first number; its steps lie `stride` numbers apart.
///   - rows: shared out among `tiles` tiles of 1…6 as by `evenRange`.
///   - y: tile t begins at number (rows before it) · steps.
func interleaveColumns(
    _ x: UnsafePointer<Float>,
    rows: Int,
    tiles: Int,
    stride: Int,
    steps: Int,
    into y: UnsafeMutablePointer<Float>
) {
    let height = rows / tiles
    let tallerTiles = rows % tiles
    var source = x
    var target = y
    for tile in 0..<tiles {
        let height = tile < tallerTiles ? height &+ 1 : height
        for step in 0..<steps {
            let from = source + step &* stride
            let lanes = target + step &* height
            if height == 6 {
                let last = UnsafeRawPointer(from + 4).loadUnaligned(as: SIMD2<Float>.self)
                store4(load4(from), into: lanes)
                UnsafeMutableRawPointer(lanes + 4).storeBytes(of: last, as: SIMD2<Float>.self)
            } else {
                for row in 0..<height { lanes[row] = from[row] }
            }
        }
        source += height
        target += steps &* height
    }
}

@inline(__always)
private func load4(_ x: UnsafePointer<Float>) -> SIMD4<Float> {
    UnsafeRawPointer(x).loadUnaligned(as: SIMD4<Float>.self)
}

@inline(__always)
private func store4(_ value: SIMD4<Float>, into y: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(y).storeBytes(of: value, as: SIMD4<Float>.self)
}
