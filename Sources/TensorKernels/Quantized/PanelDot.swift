#if arch(x86_64)
    internal import CIntrinsics
#endif

/// Multiplies tiles of quantised rows by one panel of 16 outputs.
///
/// An element of y is Σ over blocks, ascending, of f32(Σ q·w) · (scale of x · scale of w), each added by one
/// fused multiply-add to the sum so far; 4-bit weights then add (scale of x · Σq) · minimum by another. The
/// bias comes last. Sums of a block are below 2²⁴, so that they are exact in f32 too.
///
/// A tile of 6 rows has 12 integer accumulators in the 16 registers of AVX2; the sums in f32 are kept on the
/// stack between blocks.
struct PanelDot {
    /// Which storage and instructions: one specialised function each.
    let type: PanelType
    let kernels: DotKernelSet
    /// The first block of the panel.
    let panel: UnsafeRawPointer
    let scales: UnsafeRawPointer
    let blocks: Int
    /// 16 numbers to add at the end, or nil.
    let bias: UnsafePointer<Float>?
    /// Start from 0; otherwise continue from the sums in y.
    let isFirst: Bool
    /// Numbers from one row of y to the next.
    let stride: Int

    /// Rows `range` of x, which are `tiles` whole tiles, from block `block`; y is their 16 columns.
    func run(
        _ x: QuantizedRows,
        rows range: Range<Int>,
        tiles: Int,
        block: Int,
        into y: UnsafeMutablePointer<Float>
    ) {
        #if arch(x86_64)
            if kernels != .portable, type == .int8 {
                return sweep(WordProducts.self, x, range, tiles, block, y)
            }
            if kernels != .portable { return sweep(ByteProducts.self, x, range, tiles, block, y) }
        #endif
        if type == .int8 { return sweep(PortableBytes.self, x, range, tiles, block, y) }
        sweep(PortableHalves.self, x, range, tiles, block, y)
    }

    @inline(never)
    private func sweep<Block: DotBlock>(
        _ form: Block.Type,
        _ x: QuantizedRows,
        _ range: Range<Int>,
        _ tiles: Int,
        _ block: Int,
        _ y: UnsafeMutablePointer<Float>
    ) {
        let low = range.count / tiles
        let tallerTiles = range.count % tiles
        var row = range.lowerBound
        var y = y
        for tile in 0..<tiles {
            let height = tile < tallerTiles ? low &+ 1 : low
            let rows = TileRows(
                numbers: UnsafeRawPointer(x.numbers(row: row, height: height, block: block)),
                scales: UnsafePointer(x.scales(row: row, height: height, block: block)),
                offsets: UnsafeRawPointer(x.offsets(row: row, height: height, block: block))
            )
            switch height {
            case 6: multiply(form, rows, y, TileSums<6>())
            case 5: multiply(form, rows, y, TileSums<5>())
            case 4: multiply(form, rows, y, TileSums<4>())
            case 3: multiply(form, rows, y, TileSums<3>())
            case 2: multiply(form, rows, y, TileSums<2>())
            default: multiply(form, rows, y, TileSums<1>())
            }
            row += height
            y += height * stride
        }
    }

    @inline(__always)
    private func multiply<Block: DotBlock, let height: Int>(
        _ form: Block.Type,
        _ rows: TileRows,
        _ y: UnsafeMutablePointer<Float>,
        _ zeros: TileSums<height>
    ) {
        var total = zeros
        if !isFirst {
            for row in 0..<height {
                total.first[row] = load8(y + row &* stride)
                total.second[row] = load8(y + (row &* stride &+ 8))
            }
        }
        var rows = rows
        var panel = panel
        var scales = scales
        for _ in 0..<blocks {
            Block.add(panel, scales, rows, &total)
            panel += Block.blockBytes
            scales += Block.scaleBytes
            rows.advance(stepBytes: Block.rowStepBytes, height: height)
        }
        if let bias {
            for row in 0..<height {
                total.first[row] += load8(bias)
                total.second[row] += load8(bias + 8)
            }
        }
        for row in 0..<height {
            store8(total.first[row], into: y + row &* stride)
            store8(total.second[row], into: y + (row &* stride &+ 8))
        }
    }
}

private typealias Words = SIMD8<Int32>

/// The sums of columns 0…7 and 8…15 of a tile.
private struct TileSums<let height: Int> {
    var first = InlineArray<height, SIMD8<Float>>(repeating: .zero)
    var second = InlineArray<height, SIMD8<Float>>(repeating: .zero)
}

private struct TileRows {
    var numbers: UnsafeRawPointer
    var scales: UnsafePointer<Float>
    var offsets: UnsafeRawPointer

    @inline(__always)
    mutating func advance(stepBytes: Int, height: Int) {
        numbers += 16 &* stepBytes &* height
        scales += height
        offsets += 4 &* height
    }

    @inline(__always)
    func word(_ index: Int) -> Int32 {
        numbers.loadUnaligned(fromByteOffset: index &* 4, as: Int32.self)
    }

    /// The integers that sums of a block start from.
    @inline(__always)
    func starts<let height: Int>() -> InlineArray<height, Words> {
        var starts = InlineArray<height, Words>(repeating: .zero)
        for row in 0..<height {
            starts[row] = Words(
                repeating: offsets.loadUnaligned(fromByteOffset: row &* 4, as: Int32.self)
            )
        }
        return starts
    }

    @inline(__always)
    func floatOffset(_ row: Int) -> SIMD8<Float> {
        SIMD8(repeating: offsets.loadUnaligned(fromByteOffset: row &* 4, as: Float.self))
    }
}

/// How one block of a panel is stored and multiplied; here, as a debug build specialises within files.
private protocol DotBlock {
    static var blockBytes: Int { get }
    static var scaleBytes: Int { get }
    static var rowStepBytes: Int { get }

    static func add<let height: Int>(
        _ panel: UnsafeRawPointer,
        _ scales: UnsafeRawPointer,
        _ x: TileRows,
        _ total: inout TileSums<height>
    )
}

extension DotBlock {
    /// Few rows wait for memory. GB/s of one thread and row: 8 bits 7.9, and 11.2 with this; 4 bits 8.9, 12.5.
    @inline(__always)
    static func fetchAhead(_ panel: UnsafeRawPointer, height: Int) {
        if height <= 3 { prefetch(panel + 2048) }
    }

    @inline(__always)
    static func scale<let height: Int>(
        _ a: InlineArray<height, Words>,
        _ b: InlineArray<height, Words>,
        _ scales: UnsafeRawPointer,
        _ x: TileRows,
        _ total: inout TileSums<height>
    ) {
        let w = widenedBFloat16(scales)
        let v = widenedBFloat16(scales + 16)
        for row in 0..<height {
            let s = SIMD8<Float>(repeating: x.scales[row])
            total.first[row] = addingProduct(total.first[row], a[row], s * w)
            total.second[row] = addingProduct(total.second[row], b[row], s * v)
        }
    }

    /// The same with minima.
    @inline(__always)
    static func scaleAndShift<let height: Int>(
        _ a: InlineArray<height, Words>,
        _ b: InlineArray<height, Words>,
        _ scales: UnsafeRawPointer,
        _ x: TileRows,
        _ total: inout TileSums<height>
    ) {
        scale(a, b, scales, x, &total)
        let w = widenedBFloat16(scales + 32)
        let v = widenedBFloat16(scales + 48)
        for row in 0..<height {
            let sum = x.floatOffset(row)
            total.first[row] = addingProduct(total.first[row], sum, w)
            total.second[row] = addingProduct(total.second[row], sum, v)
        }
    }
}

#if arch(x86_64)
    /// 8 bits: even and odd bytes of the weights become 16-bit numbers, two products of which are added at a
    /// time (vpmaddwd). Four instructions for 32 products, and two shared by the rows of the tile; products of
    /// bytes (vpmaddubsw) need as many, because their sums would overflow without the signs moved over first.
    private enum WordProducts: DotBlock {
        @inline(__always) static var blockBytes: Int { 1024 }
        @inline(__always) static var scaleBytes: Int { 32 }
        @inline(__always) static var rowStepBytes: Int { 8 }

        @inline(__always)
        static func add<let height: Int>(
            _ panel: UnsafeRawPointer,
            _ scales: UnsafeRawPointer,
            _ x: TileRows,
            _ total: inout TileSums<height>
        ) {
            var a: InlineArray<height, Words> = x.starts()
            var b = a
            var panel = panel
            var rows = x
            for _ in 0..<16 {
                fetchAhead(panel, height: height)
                add(panel, rows, &a)
                add(panel + 32, rows, &b)
                panel += 64
                rows.numbers += 8 &* height
            }
            scale(a, b, scales, x, &total)
        }

        @inline(__always)
        private static func add<let height: Int>(
            _ step: UnsafeRawPointer,
            _ x: TileRows,
            _ sums: inout InlineArray<height, Words>
        ) {
            let w = step.loadUnaligned(as: SIMD16<UInt16>.self)
            let even = unsafeBitCast(w & 0xff, to: SIMD16<Int16>.self)
            let odd = unsafeBitCast(w &>> 8, to: SIMD16<Int16>.self)
            for row in 0..<height {
                let q = Words(repeating: x.word(2 &* row))
                sums[row] &+= rewardd_multiply_add_i16(
                    even,
                    unsafeBitCast(q, to: SIMD16<Int16>.self)
                )
            }
            for row in 0..<height {
                let q = Words(repeating: x.word(2 &* row | 1))
                sums[row] &+= rewardd_multiply_add_i16(
                    odd,
                    unsafeBitCast(q, to: SIMD16<Int16>.self)
                )
            }
        }
    }

    /// 4 bits: products of bytes, eight of which are added in 16 bits (8 · 2 · 15 · 127 < 2¹⁵) before they are
    /// widened.
    private enum ByteProducts: DotBlock {
        @inline(__always) static var blockBytes: Int { 512 }
        @inline(__always) static var scaleBytes: Int { 64 }
        @inline(__always) static var rowStepBytes: Int { 4 }

        @inline(__always)
        static func add<let height: Int>(
            _ panel: UnsafeRawPointer,
            _ scales: UnsafeRawPointer,
            _ x: TileRows,
            _ total: inout TileSums<height>
        ) {
            let ones = SIMD16<Int16>(repeating: 1)
            var a = InlineArray<height, Words>(repeating: .zero)
            var b = a
            var rows = x
            for half in 0..<2 {
                var p = InlineArray<height, SIMD16<Int16>>(repeating: .zero)
                var q = p
                for step in 0..<4 {
                    let place = panel + (256 &* half &+ 64 &* step)
                    fetchAhead(place, height: height)
                    add(place, rows, &p)
                    add(place + 32, rows, &q)
                    rows.numbers += 8 &* height
                }
                for row in 0..<height {
                    a[row] &+= rewardd_multiply_add_i16(p[row], ones)
                    b[row] &+= rewardd_multiply_add_i16(q[row], ones)
                }
            }
            scaleAndShift(a, b, scales, x, &total)
        }

        @inline(__always)
        private static func add<let height: Int>(
            _ step: UnsafeRawPointer,
            _ x: TileRows,
            _ sums: inout InlineArray<height, SIMD16<Int16>>
        ) {
            let w = step.loadUnaligned(as: SIMD16<UInt16>.self)
            let low = unsafeBitCast(w & 0x0f0f, to: SIMD32<UInt8>.self)
            let high = unsafeBitCast((w &>> 4) & 0x0f0f, to: SIMD32<UInt8>.self)
            for row in 0..<height {
                let q = unsafeBitCast(Words(repeating: x.word(row)), to: SIMD32<Int8>.self)
                sums[row] &+= rewardd_multiply_add_u8_i8(low, q)
            }
            for row in 0..<height {
                let q = Words(repeating: x.word(height &+ row))
                sums[row] &+= rewardd_multiply_add_u8_i8(
                    high,
                    unsafeBitCast(q, to: SIMD32<Int8>.self)
                )
            }
        }
    }
#endif

/// 8 bits with Swift's own vectors: bytes are widened to 32 bits one of four at a time.
private enum PortableBytes: DotBlock {
    @inline(__always) static var blockBytes: Int { 1024 }
    @inline(__always) static var scaleBytes: Int { 32 }
    @inline(__always) static var rowStepBytes: Int { 4 }

    @inline(__always)
    static func add<let height: Int>(
        _ panel: UnsafeRawPointer,
        _ scales: UnsafeRawPointer,
        _ x: TileRows,
        _ total: inout TileSums<height>
    ) {
        var a: InlineArray<height, Words> = x.starts()
        var b = a
        for step in 0..<16 {
            let w = (panel + 64 &* step).loadUnaligned(as: Words.self)
            let v = (panel + (64 &* step &+ 32)).loadUnaligned(as: Words.self)
            multiply(w, x, step: step, &a)
            multiply(v, x, step: step, &b)
        }
        scale(a, b, scales, x, &total)
    }
}

/// 4 bits with Swift's own vectors.
private enum PortableHalves: DotBlock {
    @inline(__always) static var blockBytes: Int { 512 }
    @inline(__always) static var scaleBytes: Int { 64 }
    @inline(__always) static var rowStepBytes: Int { 4 }

    @inline(__always)
    static func add<let height: Int>(
        _ panel: UnsafeRawPointer,
        _ scales: UnsafeRawPointer,
        _ x: TileRows,
        _ total: inout TileSums<height>
    ) {
        var a = InlineArray<height, Words>(repeating: .zero)
        var b = a
        for step in 0..<8 {
            let w = (panel + 64 &* step).loadUnaligned(as: Words.self)
            let v = (panel + (64 &* step &+ 32)).loadUnaligned(as: Words.self)
            multiply(w & 0x0f0f_0f0f, x, step: 2 &* step, &a)
            multiply(v & 0x0f0f_0f0f, x, step: 2 &* step, &b)
            multiply((w &>> 4) & 0x0f0f_0f0f, x, step: 2 &* step &+ 1, &a)
            multiply((v &>> 4) & 0x0f0f_0f0f, x, step: 2 &* step &+ 1, &b)
        }
        scaleAndShift(a, b, scales, x, &total)
    }
}

/// Adds the products of the four bytes of each word of `w` (without sign) and of x at `step`.
@inline(__always)
private func multiply<let height: Int>(
    _ w: Words,
    _ x: TileRows,
    step: Int,
    _ sums: inout InlineArray<height, Words>
) {
    for byte in 0..<4 {
        let part = (w &>> Words(repeating: Int32(8 &* byte))) & 0xff
        for row in 0..<height {
            let q = (x.word(step &* height &+ row) &<< Int32(24 &- 8 &* byte)) &>> 24
            sums[row] &+= part &* Words(repeating: q)
        }
    }
}
