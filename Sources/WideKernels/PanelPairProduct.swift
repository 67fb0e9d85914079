internal import CIntrinsics

/// How the numbers of two panels are stored: 16 f32 numbers a step. Numbers, because an enumeration would bring
/// functions along that other modules have too.
package let float32Panels = 0
/// 8 words of 32 bits a step: bf16 number j in the lower half of word j, number j + 8 in the upper half.
package let bfloat16Panels = 1
/// 16 f16 numbers a step.
package let float16Panels = 2

/// Multiplies interleaved rows by two neighbouring panels of 16 columns with 512-bit registers.
///
/// Compiled for x86-64-v4; must not be called on a processor without it. Each element is one chain of
/// fused multiply-adds over ascending k, as in every other kernel, so its bits are those of the tile of
/// x86-64-v3.
///
/// - Parameters:
///   - storage: one of the three above.
///   - panels: `steps` steps of the left panel.
///   - panelStride: bytes from there to the first step of the right one.
///   - rows: tile after tile, each [steps][its rows].
///   - rowCount: shared out among `tiles` tiles of 1…6 rows, the taller ones first.
///   - bias: 32 numbers to add at the end, or nil.
///   - isFirst: start from 0; otherwise continue the chains from the sums in `y`.
///   - next: the left panel of the pair that is wanted next, asked for meanwhile; nil for none.
///   - nextStride: bytes from there to the right one.
///   - nextByteCount: bytes of each of the two.
///   - y: [rowCount, 32], rows `stride` numbers apart.
package func multiplyPanelPair(
    _ storage: Int,
    _ panels: UnsafeRawPointer,
    panelStride: Int,
    steps: Int,
    _ rows: UnsafePointer<Float>,
    rowCount: Int,
    tiles: Int,
    bias: UnsafePointer<Float>?,
    isFirst: Bool,
    next: UnsafeRawPointer?,
    nextStride: Int,
    nextByteCount: Int,
    into y: UnsafeMutablePointer<Float>,
    stride: Int
) {
    let product = PanelPairProduct(
        left: panels,
        right: panels + panelStride,
        steps: steps,
        bias: bias,
        isFirst: isFirst,
        next: next,
        nextStride: nextStride,
        nextByteCount: nextByteCount,
        stride: stride
    )
    switch storage {
    case float32Panels:
        product.run(Float32Pair.self, rows, rowCount: rowCount, tiles: tiles, into: y)
    case bfloat16Panels:
        product.run(BFloat16Pair.self, rows, rowCount: rowCount, tiles: tiles, into: y)
    default: product.run(Float16Pair.self, rows, rowCount: rowCount, tiles: tiles, into: y)
    }
}

/// The product of one call; its fields are what all tiles share.
///
/// A tile of 6 rows by two panels has 12 accumulators, chains enough to hide the 4 cycles of a
/// multiply-add on two ports. Two such tiles run together, so that each step of weights is loaded (and
/// widened) once for 12 rows: 24 accumulators, two registers of weights and a broadcast fit into 32.
///
/// Measured on one thread of a busy, shared Emerald Rapids by `rewardbench matmul`, tiles of 6 and of 12
/// rows in turns, best of 5 samples (GFLOP/s; multiply-adds in registers alone: 173): f32, x [512, 896] to
/// 4864 columns 151–154 and 155–158, x [729, 1152] to 4304 142–149 and 147–153. A prototype in C with all
/// of it in the order written, chains by chains, reached 167 with 12 rows or 8, 160 with 6, and 147 and 140
/// where the next panels were not asked for.
private struct PanelPairProduct {
    let left: UnsafeRawPointer
    let right: UnsafeRawPointer
    let steps: Int
    let bias: UnsafePointer<Float>?
    let isFirst: Bool
    let next: UnsafeRawPointer?
    let nextStride: Int
    let nextByteCount: Int
    let stride: Int

    @inline(never)
    func run<Lanes: PairLanes>(
        _ lanes: Lanes.Type,
        _ rows: UnsafePointer<Float>,
        rowCount: Int,
        tiles: Int,
        into y: UnsafeMutablePointer<Float>
    ) {
        let height = rowCount / tiles
        let tallerTiles = rowCount % tiles
        // Tiles of 6 rows come first.
        let sixes = height == 6 ? tiles : height == 5 ? tallerTiles : 0
        var x = rows
        var y = y
        var tile = 0
        var ahead = NextPanels(
            next,
            stride: nextStride,
            byteCount: nextByteCount,
            pieces: (steps &+ 3) / 4 &* (tiles &- sixes / 2)
        )
        while tile &+ 2 <= sixes {
            multiplyTwelve(lanes, x, into: y, &ahead)
            x += 12 &* steps
            y += 12 &* stride
            tile &+= 2
        }
        while tile < tiles {
            let height = tile < tallerTiles ? height &+ 1 : height
            multiply(lanes, x, height: height, into: y, &ahead)
            x += height &* steps
            y += height &* stride
            tile &+= 1
        }
    }

    @inline(__always)
    private func multiply<Lanes: PairLanes>(
        _ lanes: Lanes.Type,
        _ x: UnsafePointer<Float>,
        height: Int,
        into y: UnsafeMutablePointer<Float>,
        _ ahead: inout NextPanels
    ) {
        switch height {
        case 6: multiply(x, into: y, &ahead, TileSums<Lanes, 6>())
        case 5: multiply(x, into: y, &ahead, TileSums<Lanes, 5>())
        case 4: multiply(x, into: y, &ahead, TileSums<Lanes, 4>())
        case 3: multiply(x, into: y, &ahead, TileSums<Lanes, 3>())
        case 2: multiply(x, into: y, &ahead, TileSums<Lanes, 2>())
        default: multiply(x, into: y, &ahead, TileSums<Lanes, 1>())
        }
    }

    /// One tile; four steps at a time, as in the microkernel of x86-64-v3.
    @inline(__always)
    private func multiply<Lanes: PairLanes, let height: Int>(
        _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>,
        _ ahead: inout NextPanels,
        _ zeros: TileSums<Lanes, height>
    ) {
        var sums = zeros
        if !isFirst { sums.load(y, stride: stride) }
        let size = Lanes.stepByteCount
        var x = x
        var left = left
        var right = right
        var remaining = steps
        while remaining >= 4 {
            ahead.fetch()
            sums.step(x, left, right)
            sums.step(x + height, left + size, right + size)
            sums.step(x + 2 &* height, left + 2 &* size, right + 2 &* size)
            sums.step(x + 3 &* height, left + 3 &* size, right + 3 &* size)
            x += 4 &* height
            left += 4 &* size
            right += 4 &* size
            remaining &-= 4
        }
        while remaining > 0 {
            sums.step(x, left, right)
            x += height
            left += size
            right += size
            remaining &-= 1
        }
        if let bias { sums.add(bias) }
        sums.store(into: y, stride: stride)
    }

    /// Two neighbouring tiles of 6 rows.
    @inline(__always)
    private func multiplyTwelve<Lanes: PairLanes>(
        _ lanes: Lanes.Type,
        _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>,
        _ ahead: inout NextPanels
    ) {
        var upper = TileSums<Lanes, 6>()
        var lower = TileSums<Lanes, 6>()
        if !isFirst {
            upper.load(y, stride: stride)
            lower.load(y + 6 &* stride, stride: stride)
        }
        let size = Lanes.stepByteCount
        var x = x
        var z = x + 6 &* steps  // the lower tile's rows
        var left = left
        var right = right
        for step in 0..<steps {
            if step & 3 == 0 { ahead.fetch() }
            let (w, v) = Lanes.load(left, right)
            upper.step(x, w, v)
            lower.step(z, w, v)
            x += 6
            z += 6
            left += size
            right += size
        }
        if let bias {
            upper.add(bias)
            lower.add(bias)
        }
        upper.store(into: y, stride: stride)
        lower.store(into: y + 6 &* stride, stride: stride)
    }
}

/// The panels that will be multiplied next, asked for line by line while the tiles of the present ones run, so
/// that they lie in the second-level cache when their turn comes.
private struct NextPanels {
    private var address: UnsafeRawPointer
    private let stride: Int
    /// Bytes of each panel that one call of `fetch` moves on by; 0 when there is nothing to fetch.
    private let piece: Int

    /// `byteCount` bytes of the panel at `panel` and of the one `stride` bytes behind it, in `pieces` pieces.
    @inline(__always)
    init(_ panel: UnsafeRawPointer?, stride: Int, byteCount: Int, pieces: Int) {
        address = panel ?? UnsafeRawPointer(bitPattern: 64).unsafelyUnwrapped
        self.stride = stride
        piece = panel == nil ? 0 : (byteCount &+ pieces &- 1) / pieces
    }

    @inline(__always)
    mutating func fetch() {
        #if arch(x86_64)
            rewardd_prefetch_panels(address, stride, piece)
            address += piece
        #endif
    }
}

/// The accumulators of one tile: `height` rows by the two registers of a step.
private struct TileSums<Lanes: PairLanes, let height: Int> {
    var first = InlineArray<height, SIMD16<Float>>(repeating: .zero)
    var second = InlineArray<height, SIMD16<Float>>(repeating: .zero)

    @inline(__always)
    init() {}

    @inline(__always)
    mutating func load(_ y: UnsafePointer<Float>, stride: Int) {
        for row in 0..<height {
            (first[row], second[row]) = Lanes.loadSums(y + row &* stride)
        }
    }

    @inline(__always)
    mutating func step(
        _ x: UnsafePointer<Float>,
        _ left: UnsafeRawPointer,
        _ right: UnsafeRawPointer
    ) {
        let (w, v) = Lanes.load(left, right)
        step(x, w, v)
    }

    @inline(__always)
    mutating func step(_ x: UnsafePointer<Float>, _ w: SIMD16<Float>, _ v: SIMD16<Float>) {
        for row in 0..<height {
            let x = SIMD16<Float>(repeating: x[row])
            first[row].addProduct(x, w)
            second[row].addProduct(x, v)
        }
    }

    @inline(__always)
    mutating func add(_ bias: UnsafePointer<Float>) {
        let (w, v) = Lanes.loadSums(bias)
        for row in 0..<height {
            first[row] += w
            second[row] += v
        }
    }

    @inline(__always)
    func store(into y: UnsafeMutablePointer<Float>, stride: Int) {
        for row in 0..<height {
            Lanes.storeSums((first[row], second[row]), into: y + row &* stride)
        }
    }
}

/// 32 numbers of one row or step.
private typealias RegisterPair = (SIMD16<Float>, SIMD16<Float>)

/// How one step of two panels (32 numbers) is stored and widened into two registers.
///
/// Which columns a register holds is the business of the storage: sums are loaded and stored alike. In
/// the file of its users, because a debug build specialises nothing across files.
private protocol PairLanes {
    /// Bytes from one step of a panel to the next.
    static var stepByteCount: Int { get }

    static func load(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer) -> RegisterPair

    /// The 32 numbers of one row in the order of `load`.
    static func loadSums(_ y: UnsafePointer<Float>) -> RegisterPair

    static func storeSums(_ sums: RegisterPair, into y: UnsafeMutablePointer<Float>)
}

extension PairLanes {
    @inline(__always)
    static func loadSums(_ y: UnsafePointer<Float>) -> RegisterPair {
        let y = UnsafeRawPointer(y)
        return (
            y.loadUnaligned(as: SIMD16<Float>.self),
            y.loadUnaligned(fromByteOffset: 64, as: SIMD16<Float>.self)
        )
    }

    @inline(__always)
    static func storeSums(_ sums: RegisterPair, into y: UnsafeMutablePointer<Float>) {
        let y = UnsafeMutableRawPointer(y)
        y.storeBytes(of: sums.0, as: SIMD16<Float>.self)
        y.storeBytes(of: sums.1, toByteOffset: 64, as: SIMD16<Float>.self)
    }
}

/// 16 f32 numbers in order.
private enum Float32Pair: PairLanes {
    @inline(__always) static var stepByteCount: Int { 64 }

    @inline(__always)
    static func load(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer) -> RegisterPair {
        (left.loadUnaligned(as: SIMD16<Float>.self), right.loadUnaligned(as: SIMD16<Float>.self))
    }
}

/// 16 f16 numbers in order.
private enum Float16Pair: PairLanes {
    @inline(__always) static var stepByteCount: Int { 32 }

    @inline(__always)
    static func load(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer) -> RegisterPair {
        (load(left), load(right))
    }

    /// By halves: the conversion of 16 numbers is a call of a generic function.
    @inline(__always)
    private static func load(_ step: UnsafeRawPointer) -> SIMD16<Float> {
        let low = step.loadUnaligned(as: SIMD8<Float16>.self)
        let high = step.loadUnaligned(fromByteOffset: 16, as: SIMD8<Float16>.self)
        return SIMD16(lowHalf: SIMD8<Float>(low), highHalf: SIMD8<Float>(high))
    }
}

/// bf16 in words of two.
///
/// The words of both panels lie in one register, so that one shift and one mask widen them all: the
/// first register holds columns 0…7 and 16…23, the second 8…15 and 24…31.
private enum BFloat16Pair: PairLanes {
    @inline(__always) static var stepByteCount: Int { 32 }

    @inline(__always)
    static func load(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer) -> RegisterPair {
        let words = SIMD16<UInt32>(
            lowHalf: left.loadUnaligned(as: SIMD8<UInt32>.self),
            highHalf: right.loadUnaligned(as: SIMD8<UInt32>.self)
        )
        return (
            unsafeBitCast(words &<< 16, to: SIMD16<Float>.self),
            unsafeBitCast(words & 0xffff_0000, to: SIMD16<Float>.self)
        )
    }

    @inline(__always)
    static func loadSums(_ y: UnsafePointer<Float>) -> RegisterPair {
        let y = UnsafeRawPointer(y)
        let a = y.loadUnaligned(as: SIMD8<Float>.self)
        let b = y.loadUnaligned(fromByteOffset: 32, as: SIMD8<Float>.self)
        let c = y.loadUnaligned(fromByteOffset: 64, as: SIMD8<Float>.self)
        let d = y.loadUnaligned(fromByteOffset: 96, as: SIMD8<Float>.self)
        return (SIMD16(lowHalf: a, highHalf: c), SIMD16(lowHalf: b, highHalf: d))
    }

    @inline(__always)
    static func storeSums(_ sums: RegisterPair, into y: UnsafeMutablePointer<Float>) {
        let y = UnsafeMutableRawPointer(y)
        y.storeBytes(of: sums.0.lowHalf, as: SIMD8<Float>.self)
        y.storeBytes(of: sums.1.lowHalf, toByteOffset: 32, as: SIMD8<Float>.self)
        y.storeBytes(of: sums.0.highHalf, toByteOffset: 64, as: SIMD8<Float>.self)
        y.storeBytes(of: sums.1.highHalf, toByteOffset: 96, as: SIMD8<Float>.self)
    }
}
