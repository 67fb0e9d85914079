/// The rows of x as products by quantised weights read them: x ≈ scale · q, q in -127…127, one scale for each
/// row and block of 64 inputs.
///
/// Rows go in tiles of at most 6 whose heights differ by at most one, the taller ones first. A tile lies as
/// [blocks][16 steps][its rows]: the four bytes of one step, or for AVX2 and 8-bit weights twice as much (see
/// `Layout`). Scales and offsets lie as [blocks][its rows] for each tile. The last block is filled up with
/// zeros.
struct QuantizedRows {
    /// How the four numbers of a step lie.
    enum Layout {
        /// Four bytes in order.
        case bytes
        /// 16-bit numbers 0 and 2, then 1 and 3: the even and the odd bytes of a step of weights are
        /// multiplied apart.
        case splitWords

        /// Bytes of one row and step.
        var stepByteCount: Int { self == .bytes ? 4 : 8 }
    }

    let rows: Int
    let inputs: Int
    let layout: Layout
    /// 8 or 4 bits: decides what the offsets are.
    let type: PanelType
    let memory: UnsafeMutableRawPointer

    /// Tiles of at most 6 rows.
    var tiles: Int { (rows + 5) / 6 }
    var blocks: Int { PanelType.blocks(inputs: inputs) }

    /// Bytes that `memory` needs.
    static func byteCount(rows: Int, inputs: Int, layout: Layout) -> Int {
        rows * PanelType.blocks(inputs: inputs) * (16 * layout.stepByteCount + 8)
    }

    /// The numbers of the tile that starts with row `row`, from block `block`.
    @inline(__always)
    func numbers(row: Int, height: Int, block: Int) -> UnsafeMutableRawPointer {
        memory + (row * blocks + block * height) * 16 * layout.stepByteCount
    }

    /// Its scales.
    @inline(__always)
    func scales(row: Int, height: Int, block: Int) -> UnsafeMutablePointer<Float> {
        (memory + rows * blocks * 16 * layout.stepByteCount)
            .assumingMemoryBound(to: Float.self) + (row * blocks + block * height)
    }

    /// What the storage of the weights adds to a sum: for 8 bits the Int32 -128·Σq, as weights are stored
    /// with 128 more; for 4 bits the Float scale·Σq, which the minimum is multiplied by.
    @inline(__always)
    func offsets(row: Int, height: Int, block: Int) -> UnsafeMutableRawPointer {
        memory + rows * blocks * (16 * layout.stepByteCount + 4)
            + 4 * (row * blocks + block * height)
    }

    /// Quantises tile `tile` of x [rows, inputs].
    func quantize(_ x: UnsafePointer<Float>, tile: Int) {
        let range = evenRange(tile, of: tiles, count: rows)
        let size = PanelType.blockInputs
        // A row of the block that is filled up, then the bytes of up to 6 rows.
        withUnsafeTemporaryAllocation(of: Float.self, capacity: size + 6 * stageWords) { buffer in
            guard let filledUp = buffer.baseAddress else { return }
            for block in 0..<blocks {
                let count = min(size, inputs - block * size)
                for row in range {
                    var x = x + row * inputs + block * size
                    if count < size {
                        filledUp.update(repeating: 0, count: size)
                        filledUp.update(from: x, count: count)
                        x = UnsafePointer(filledUp)
                    }
                    quantize(x, range, row - range.lowerBound, block, stage: filledUp + size)
                }
                interleave(filledUp + size, range, block)
            }
        }
    }

    /// Bytes of one row and block, in words of four.
    private var stageWords: Int { 16 }

    /// Puts the staged bytes of a tile's rows where they belong.
    private func interleave(_ stage: UnsafePointer<Float>, _ tile: Range<Int>, _ block: Int) {
        let height = tile.count
        guard layout == .bytes, height > 1 else { return }
        let target = numbers(row: tile.lowerBound, height: height, block: block)
            .assumingMemoryBound(to: Float.self)
        // Words are moved as they are. Interleaving fewer than 6 rows writes over the end of a step, so the last
        // steps of the block are moved one by one.
        let steps = height == 6 ? stageWords : stageWords - 6
        interleaveRows(stage, rows: height, stride: stageWords, steps: steps, into: target)
        for step in steps..<stageWords {
            for row in 0..<height {
                target[step &* height &+ row] = stage[row &* stageWords &+ step]
            }
        }
    }

    /// One block of row `place` of a tile; bytes of several rows go to `stage`.
    @inline(__always)
    private func quantize(
        _ x: UnsafePointer<Float>,
        _ tile: Range<Int>,
        _ place: Int,
        _ block: Int,
        stage: UnsafeMutablePointer<Float>
    ) {
        let (first, height) = (tile.lowerBound, tile.count)
        let largest = largestMagnitude(x, count: PanelType.blockInputs)
        let scale = largest / 127
        // A scale too small for its inverse stands for zeros; one that is no number makes the sums none.
        let inverse = largest < 0x1p-110 ? 0 : 127 / largest
        let target = numbers(row: first, height: height, block: block)
        var sum = SIMD8<Int32>.zero
        for half in 0..<2 {
            let x = x + 32 &* half
            let a = rounded8(load8(x) * inverse)
            let b = rounded8(load8(x + 8) * inverse)
            let c = rounded8(load8(x + 16) * inverse)
            let d = rounded8(load8(x + 24) * inverse)
            sum &+= (a &+ b) &+ (c &+ d)
            let quads = packedBytes(a, b, c, d)
            if layout == .splitWords {
                storeSplit(quads, step: 8 &* half, height: height, place: place, target)
            } else {
                let words =
                    height == 1
                    ? target : UnsafeMutableRawPointer(stage + place &* stageWords)
                words.storeBytes(of: quads, toByteOffset: 32 &* half, as: SIMD8<Int32>.self)
            }
        }
        let total = sum.wrappedSum()
        scales(row: first, height: height, block: block)[place] = scale
        let offset = offsets(row: first, height: height, block: block)
        if type == .int8 {
            offset.storeBytes(of: -128 &* total, toByteOffset: 4 * place, as: Int32.self)
        } else {
            offset.storeBytes(of: scale * Float(total), toByteOffset: 4 * place, as: Float.self)
        }
    }

    /// Writes eight steps of four numbers in 16 bits.
    @inline(__always)
    private func storeSplit(
        _ quads: SIMD8<Int32>,
        step: Int,
        height: Int,
        place: Int,
        _ target: UnsafeMutableRawPointer
    ) {
        let words = unsafeBitCast(quads, to: SIMD16<Int16>.self)
        let even = unsafeBitCast((words &<< 8) &>> 8, to: SIMD8<UInt32>.self)
        let odd = unsafeBitCast(words &>> 8, to: SIMD8<UInt32>.self)
        for lane in 0..<8 {
            let pair = UInt64(even[lane]) | UInt64(odd[lane]) &<< 32
            target.storeBytes(
                of: pair,
                toByteOffset: ((step &+ lane) &* height &+ place) &* 8,
                as: UInt64.self
            )
        }
    }
}

/// The nearest whole numbers, as `rounded`.
@inline(__always)
private func rounded8(_ values: SIMD8<Float>) -> SIMD8<Int32> {
    unsafeBitCast(values + roundingOffset, to: SIMD8<Int32>.self) &- roundingBits
}
