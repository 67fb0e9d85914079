#if arch(x86_64)
    internal import CIntrinsics

    /// Multiplies quantised rows by two neighbouring panels of 16 outputs in 8 bits, with `vpdpbusd`.
    ///
    /// Compiled for x86-64-v4 and AVX-512 VNNI; must not be called on a processor without them. Sums within a
    /// block are integers and exact, blocks are added in ascending order by one fused multiply-add each: the
    /// bits are those of the tiles of x86-64-v3 (`PanelDot` of TensorKernels, where the layouts are described).
    ///
    /// - Parameters:
    ///   - panels: the first block of the left panel, 1024 bytes a block.
    ///   - panelStride: bytes from there to the first block of the right one.
    ///   - scales: the scales of the left panel's first block, 32 bytes a block; those of the right one lie
    ///     `scaleStride` bytes further.
    ///   - x: tile after tile of quantised rows; `xScales` and `xOffsets` alike.
    ///   - firstBlock: which block of x meets the first one of the panels.
    ///   - tileBlocks: blocks that a tile of x holds.
    ///   - rowCount: shared out among `tiles` tiles of 1…6 rows, the taller ones first.
    ///   - bias: 32 numbers to add at the end, or nil.
    ///   - isFirst: start from 0; otherwise continue from the sums in `y`.
    ///   - next: the left panel of the pair that will be multiplied next, asked for meanwhile; nil for none.
    ///   - y: [rowCount, 32], rows `stride` numbers apart.
    package func multiplyInt8PanelPair(
        _ panels: UnsafeRawPointer,
        panelStride: Int,
        scales: UnsafeRawPointer,
        scaleStride: Int,
        blocks: Int,
        _ x: UnsafeRawPointer,
        xScales: UnsafePointer<Float>,
        xOffsets: UnsafeRawPointer,
        firstBlock: Int,
        tileBlocks: Int,
        rowCount: Int,
        tiles: Int,
        bias: UnsafePointer<Float>?,
        isFirst: Bool,
        next: UnsafeRawPointer?,
        into y: UnsafeMutablePointer<Float>,
        stride: Int
    ) {
        PanelPairDot<Int8Pair>(
            left: panels,
            right: panels + panelStride,
            leftScales: scales,
            rightScales: scales + scaleStride,
            blocks: blocks,
            firstBlock: firstBlock,
            tileBlocks: tileBlocks,
            bias: bias,
            isFirst: isFirst,
            next: next,
            stride: stride
        ).run(x, xScales, xOffsets, rowCount: rowCount, tiles: tiles, into: y)
    }

    /// The same for 4 bits: a block is 512 bytes, its scales and minima 64, and `xOffsets` holds sums.
    package func multiplyInt4PanelPair(
        _ panels: UnsafeRawPointer,
        panelStride: Int,
        scales: UnsafeRawPointer,
        scaleStride: Int,
        blocks: Int,
        _ x: UnsafeRawPointer,
        xScales: UnsafePointer<Float>,
        xOffsets: UnsafeRawPointer,
        firstBlock: Int,
        tileBlocks: Int,
        rowCount: Int,
        tiles: Int,
        bias: UnsafePointer<Float>?,
        isFirst: Bool,
        next: UnsafeRawPointer?,
        into y: UnsafeMutablePointer<Float>,
        stride: Int
    ) {
        PanelPairDot<Int4Pair>(
            left: panels,
            right: panels + panelStride,
            leftScales: scales,
            rightScales: scales + scaleStride,
            blocks: blocks,
            firstBlock: firstBlock,
            tileBlocks: tileBlocks,
            bias: bias,
            isFirst: isFirst,
            next: next,
            stride: stride
        ).run(x, xScales, xOffsets, rowCount: rowCount, tiles: tiles, into: y)
    }

    /// The product of one call; its fields are what all tiles share.
    ///
    /// A tile of 6 rows by two panels has 12 integer and 12 floating accumulators, which with two registers of
    /// weights and the broadcast fit into 32.
    private struct PanelPairDot<Pair: DotPair> {
        let left: UnsafeRawPointer
        let right: UnsafeRawPointer
        let leftScales: UnsafeRawPointer
        let rightScales: UnsafeRawPointer
        let blocks: Int
        let firstBlock: Int
        let tileBlocks: Int
        let bias: UnsafePointer<Float>?
        let isFirst: Bool
        let next: UnsafeRawPointer?
        let stride: Int

        @inline(never)
        func run(
            _ rows: UnsafeRawPointer,
            _ rowScales: UnsafePointer<Float>,
            _ rowOffsets: UnsafeRawPointer,
            rowCount: Int,
            tiles: Int,
            into y: UnsafeMutablePointer<Float>
        ) {
            let low = rowCount / tiles
            let tallerTiles = rowCount % tiles
            var x = TileRows(numbers: rows, scales: rowScales, offsets: rowOffsets)
            var y = y
            var ahead = next ?? left
            // Bytes of each of the next panels to ask for with every block of a tile.
            let piece = next == nil ? 0 : (Pair.blockBytes &+ tiles &- 1) / tiles
            for tile in 0..<tiles {
                let height = tile < tallerTiles ? low &+ 1 : low
                switch height {
                case 6: multiply(x, y, &ahead, piece, InlineArray<6, Floats>(repeating: .zero))
                case 5: multiply(x, y, &ahead, piece, InlineArray<5, Floats>(repeating: .zero))
                case 4: multiply(x, y, &ahead, piece, InlineArray<4, Floats>(repeating: .zero))
                case 3: multiply(x, y, &ahead, piece, InlineArray<3, Floats>(repeating: .zero))
                case 2: multiply(x, y, &ahead, piece, InlineArray<2, Floats>(repeating: .zero))
                default: multiply(x, y, &ahead, piece, InlineArray<1, Floats>(repeating: .zero))
                }
                x.advance(blocks: tileBlocks, height: height)
                y += height &* stride
            }
        }

        @inline(__always)
        private func multiply<let height: Int>(
            _ rows: TileRows,
            _ y: UnsafeMutablePointer<Float>,
            _ ahead: inout UnsafeRawPointer,
            _ piece: Int,
            _ zeros: InlineArray<height, Floats>
        ) {
            var first = zeros
            var second = zeros
            if !isFirst {
                for row in 0..<height {
                    first[row] = load(y + row &* stride)
                    second[row] = load(y + (row &* stride &+ 16))
                }
            }
            var x = rows
            x.advance(blocks: firstBlock, height: height)
            var left = left
            var right = right
            var leftScales = leftScales
            var rightScales = rightScales
            let distance = self.right - self.left
            for _ in 0..<blocks {
                rewardd_prefetch_panels(ahead, distance, piece)
                ahead += piece
                Pair.add(left, right, leftScales, rightScales, x, &first, &second)
                left += Pair.blockBytes
                right += Pair.blockBytes
                leftScales += Pair.scaleBytes
                rightScales += Pair.scaleBytes
                x.advance(blocks: 1, height: height)
            }
            if let bias {
                let w = load(bias)
                let v = load(bias + 16)
                for row in 0..<height {
                    first[row] += w
                    second[row] += v
                }
            }
            for row in 0..<height {
                let y = UnsafeMutableRawPointer(y + row &* stride)
                y.storeBytes(of: first[row], as: Floats.self)
                y.storeBytes(of: second[row], toByteOffset: 64, as: Floats.self)
            }
        }

        @inline(__always)
        private func load(_ numbers: UnsafePointer<Float>) -> Floats {
            UnsafeRawPointer(numbers).loadUnaligned(as: Floats.self)
        }
    }

    private typealias Floats = SIMD16<Float>
    private typealias Words = SIMD16<Int32>

    /// Where a tile of x goes on: 64 bytes, a scale and an offset for each of its rows and blocks.
    private struct TileRows {
        var numbers: UnsafeRawPointer
        var scales: UnsafePointer<Float>
        var offsets: UnsafeRawPointer

        @inline(__always)
        mutating func advance(blocks: Int, height: Int) {
            numbers += 64 &* blocks &* height
            scales += blocks &* height
            offsets += 4 &* blocks &* height
        }

        /// The four bytes at place `index`, in every lane.
        @inline(__always)
        func quad(_ index: Int) -> Words {
            Words(repeating: numbers.loadUnaligned(fromByteOffset: index &* 4, as: Int32.self))
        }
    }

    /// How one block of two panels is stored, and added to the sums of a tile.
    ///
    /// In the file of its users, because a debug build specialises nothing across files.
    private protocol DotPair {
        static var blockBytes: Int { get }
        static var scaleBytes: Int { get }

        static func add<let height: Int>(
            _ left: UnsafeRawPointer,
            _ right: UnsafeRawPointer,
            _ leftScales: UnsafeRawPointer,
            _ rightScales: UnsafeRawPointer,
            _ x: TileRows,
            _ first: inout InlineArray<height, Floats>,
            _ second: inout InlineArray<height, Floats>
        )
    }

    extension DotPair {
        /// 16 bf16 numbers, widened.
        @inline(__always)
        static func scale(_ stored: UnsafeRawPointer) -> Floats {
            let bits = rewardd_widened_u16_wide(stored.loadUnaligned(as: SIMD16<UInt16>.self))
            return unsafeBitCast(bits &<< 16, to: Floats.self)
        }

        /// Few rows wait for memory, and the processor's own prefetching ends with each page. In GB/s of one
        /// thread, one row, 8 bits: 13.1 without, 13.9 with 2 KiB ahead; 4 bits: 10.6 and 13.0.
        @inline(__always)
        static func prefetch(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, height: Int) {
            guard height <= 3 else { return }
            rewardd_prefetch(left + 2048)
            rewardd_prefetch(right + 2048)
        }
    }

    private enum Int8Pair: DotPair {
        @inline(__always) static var blockBytes: Int { 1024 }
        @inline(__always) static var scaleBytes: Int { 32 }

        @inline(__always)
        static func add<let height: Int>(
            _ left: UnsafeRawPointer,
            _ right: UnsafeRawPointer,
            _ leftScales: UnsafeRawPointer,
            _ rightScales: UnsafeRawPointer,
            _ x: TileRows,
            _ first: inout InlineArray<height, Floats>,
            _ second: inout InlineArray<height, Floats>
        ) {
            var a = InlineArray<height, Words>(repeating: .zero)
            for row in 0..<height {
                a[row] = Words(
                    repeating: x.offsets.loadUnaligned(fromByteOffset: row &* 4, as: Int32.self)
                )
            }
            var b = a
            for step in 0..<16 {
                let place = step &* 64
                prefetch(left + place, right + place, height: height)
                let w = left.loadUnaligned(fromByteOffset: place, as: Words.self)
                let v = right.loadUnaligned(fromByteOffset: place, as: Words.self)
                for row in 0..<height {
                    let q = x.quad(step &* height &+ row)
                    a[row] = rewardd_dot_u8_i8(a[row], w, q)
                    b[row] = rewardd_dot_u8_i8(b[row], v, q)
                }
            }
            let w = scale(leftScales)
            let v = scale(rightScales)
            for row in 0..<height {
                let s = Floats(repeating: x.scales[row])
                first[row] = rewardd_fused_multiply_add_wide(
                    rewardd_float_of_i32_wide(a[row]),
                    s * w,
                    first[row]
                )
                second[row] = rewardd_fused_multiply_add_wide(
                    rewardd_float_of_i32_wide(b[row]),
                    s * v,
                    second[row]
                )
            }
        }
    }

    private enum Int4Pair: DotPair {
        @inline(__always) static var blockBytes: Int { 512 }
        @inline(__always) static var scaleBytes: Int { 64 }

        @inline(__always)
        static func add<let height: Int>(
            _ left: UnsafeRawPointer,
            _ right: UnsafeRawPointer,
            _ leftScales: UnsafeRawPointer,
            _ rightScales: UnsafeRawPointer,
            _ x: TileRows,
            _ first: inout InlineArray<height, Floats>,
            _ second: inout InlineArray<height, Floats>
        ) {
            let mask = Words(repeating: 0x0f0f_0f0f)
            var a = InlineArray<height, Words>(repeating: .zero)
            var b = a
            for step in 0..<8 {
                let place = step &* 64
                prefetch(left + place, right + place, height: height)
                let w = left.loadUnaligned(fromByteOffset: place, as: Words.self)
                let v = right.loadUnaligned(fromByteOffset: place, as: Words.self)
                let lowW = w & mask
                let lowV = v & mask
                for row in 0..<height {
                    let q = x.quad(2 &* step &* height &+ row)
                    a[row] = rewardd_dot_u8_i8(a[row], lowW, q)
                    b[row] = rewardd_dot_u8_i8(b[row], lowV, q)
                }
                let highW = (w &>> 4) & mask
                let highV = (v &>> 4) & mask
                for row in 0..<height {
                    let q = x.quad((2 &* step &+ 1) &* height &+ row)
                    a[row] = rewardd_dot_u8_i8(a[row], highW, q)
                    b[row] = rewardd_dot_u8_i8(b[row], highV, q)
                }
            }
            let w = scale(leftScales)
            let v = scale(rightScales)
            let leftMinima = scale(leftScales + 32)
            let rightMinima = scale(rightScales + 32)
            for row in 0..<height {
                let s = Floats(repeating: x.scales[row])
                let sum = Floats(
                    repeating: x.offsets.loadUnaligned(fromByteOffset: row &* 4, as: Float.self)
                )
                first[row] = rewardd_fused_multiply_add_wide(
                    sum,
                    leftMinima,
                    rewardd_fused_multiply_add_wide(
                        rewardd_float_of_i32_wide(a[row]),
                        s * w,
                        first[row]
                    )
                )
                second[row] = rewardd_fused_multiply_add_wide(
                    sum,
                    rightMinima,
                    rewardd_fused_multiply_add_wide(
                        rewardd_float_of_i32_wide(b[row]),
                        s * v,
                        second[row]
                    )
                )
            }
        }
    }
#endif
