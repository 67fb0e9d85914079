/// The tile of accumulators that every product here runs through: `rows` rows of x by panels of 16.
///
/// The integer parameters make the loops below constant, so that all accumulators stay in registers:
/// 6 rows by one panel take 12 of the 16 registers of x86-64-v3. The inner loop is then 2 loads of the
/// panel, 6 broadcasts and 12 multiply-adds a step. One row by 4 panels has 8 chains, just enough to
/// hide the 4 cycles of a multiply-add on two ports.
///
/// Measured on a Zen 3 whose core other tenants share (two runs, medians of 300 interleaved samples,
/// GFLOP/s; multiply-adds in registers alone: 103): rows of x apart 75 and 93; interleaved 85 and 99;
/// interleaved and unrolled by 2: 84 and 96; by 4: 92 and 98; by 8: 92 and 99. In the quietest tenth all
/// reach 100–102: what differs is how many instructions stand beside the multiply-adds when the other
/// half of the core competes for the front end. A nested loop for the unrolling is not unrolled by the
/// compiler and loses 10 %, hence the four lines.
enum Microkernel {
    /// acc[r] += Σ x[r][k] · panel[k], k ascending, one chain of fused multiply-adds per element.
    ///
    /// - Parameters:
    ///   - x: number k of row r lies at x[r · rowStride + k · stepStride]; give constants.
    ///   - panel: `steps` steps of `Lanes`.
    @inline(__always)
    static func accumulate<Lanes: PanelLanes, let rows: Int>(
        _ lanes: Lanes.Type,
        _ x: UnsafePointer<Float>,
        rowStride: Int,
        stepStride: Int,
        panel: UnsafeRawPointer,
        steps: Int,
        _ acc: inout InlineArray<rows, SIMD16<Float>>
    ) {
        let size = Lanes.stepByteCount
        var x = x
        var step = panel
        var left = steps
        while left >= 4 {
            accumulate(lanes, x, rowStride, step, &acc)
            accumulate(lanes, x + stepStride, rowStride, step + size, &acc)
            accumulate(lanes, x + 2 &* stepStride, rowStride, step + 2 &* size, &acc)
            accumulate(lanes, x + 3 &* stepStride, rowStride, step + 3 &* size, &acc)
            x += 4 &* stepStride
            step += 4 &* size
            left &-= 4
        }
        while left > 0 {
            accumulate(lanes, x, rowStride, step, &acc)
            x += stepStride
            step += size
            left &-= 1
        }
    }

    @inline(__always)
    private static func accumulate<Lanes: PanelLanes, let rows: Int>(
        _ lanes: Lanes.Type,
        _ x: UnsafePointer<Float>,
        _ rowStride: Int,
        _ step: UnsafeRawPointer,
        _ acc: inout InlineArray<rows, SIMD16<Float>>
    ) {
        let w = Lanes.load(step)
        for row in 0..<rows { acc[row].addProduct(SIMD16(repeating: x[row &* rowStride]), w) }
    }

    /// The same for `panels` panels, `panelStride` bytes apart, at once: for few rows, which wait for memory.
    /// The processor's own prefetching ends with each page of 4 KiB, so lines are asked for ahead of it.
    @inline(__always)
    static func accumulate<Lanes: PanelLanes, let rows: Int, let panels: Int>(
        _ lanes: Lanes.Type,
        _ x: UnsafePointer<Float>,
        rowStride: Int,
        panel: UnsafeRawPointer,
        panelStride: Int,
        steps: Int,
        _ acc: inout InlineArray<rows, InlineArray<panels, SIMD16<Float>>>
    ) {
        var step = panel
        for k in 0..<steps {
            for column in 0..<panels {
                prefetch(step + column &* panelStride + 2048)
                let w = Lanes.load(step + column &* panelStride)
                for row in 0..<rows {
                    acc[row][column].addProduct(SIMD16(repeating: x[row &* rowStride &+ k]), w)
                }
            }
            step += Lanes.stepByteCount
        }
    }
}

/// Reads 16 numbers from any address.
@inline(__always)
func load16(_ x: UnsafePointer<Float>) -> SIMD16<Float> {
    UnsafeRawPointer(x).loadUnaligned(as: SIMD16<Float>.self)
}

/// Writes 16 numbers to any address.
@inline(__always)
func store16(_ value: SIMD16<Float>, into y: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(y).storeBytes(of: value, as: SIMD16<Float>.self)
}

/// Reads 8 numbers from any address.
@inline(__always)
func load8(_ x: UnsafePointer<Float>) -> SIMD8<Float> {
    UnsafeRawPointer(x).loadUnaligned(as: SIMD8<Float>.self)
}

/// Writes 8 numbers to any address.
@inline(__always)
func store8(_ value: SIMD8<Float>, into y: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(y).storeBytes(of: value, as: SIMD8<Float>.self)
}

/// Splits `count` things into `parts` runs whose lengths differ by at most one; the range of run `part`.
@inline(__always)
func evenRange(_ part: Int, of parts: Int, count: Int) -> Range<Int> {
    let length = count / parts
    let longer = count % parts
    let start = part * length + min(part, longer)
    return start..<(start + length + (part < longer ? 1 : 0))
}
