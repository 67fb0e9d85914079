/// The weight W [outputs N, inputs K] of y = x·Wᵀ, copied once into panels of 16 outputs.
///
/// Numbers lie as [⌈N/16⌉][K][16]: one step of a panel holds the weights of 16 outputs for one input
/// (`PanelLanes`). Quantised weights lie as [⌈N/16⌉][blocks][steps][16 outputs][4 bytes], with all scales
/// behind them (`WeightQuantizer`). The product then reads memory in ascending streams. Outputs that fill up
/// the last panel have weight 0.
// @unchecked Sendable because the memory behind `storage` is written only by init.
package final class PackedMatrix: @unchecked Sendable {
    /// Outputs in one panel.
    static let panelWidth = 16

    /// Rows of W, columns of y.
    package let outputs: Int
    /// Columns of W and of x.
    package let inputs: Int
    /// How the weights are held.
    package let type: PanelType
    /// Bytes taken by the panels.
    package let byteCount: Int

    let panelCount: Int
    private let storage: UnsafeMutableRawPointer

    /// Copies W from row-major storage, which may be unaligned and may go away afterwards.
    ///
    /// - Parameters:
    ///   - rowMajor: outputs × inputs numbers of `type`.
    ///   - panelType: how to hold them; nil for as they are stored. Widening is exact, narrowing to bf16 or
    ///     f16 rounds to nearest.
    ///   - pool: shares the copying when given; one thread copies 2–4 GB of bf16 a second.
    package init(
        rowMajor: UnsafeRawPointer,
        type: WeightType,
        outputs: Int,
        inputs: Int,
        as panelType: PanelType? = nil,
        pool: ComputeThreadPool? = nil
    ) {
        precondition(
            outputs > 0 && inputs > 0,
            "PackedMatrix: expected positive dimensions, got [\(outputs), \(inputs)]"
        )
        self.outputs = outputs
        self.inputs = inputs
        self.type = panelType ?? PanelType(type)
        panelCount = (outputs + Self.panelWidth - 1) / Self.panelWidth
        byteCount = Self.byteCount(type: self.type, outputs: outputs, inputs: inputs)
        storage = .allocate(byteCount: byteCount, alignment: 64)
        let packPanel = { (panel: Int, _: Int) in
            self.pack(panel: panel, from: rowMajor, storedAs: type)
        }
        if let pool {
            pool.run(count: panelCount, packPanel)
        } else {
            for panel in 0..<panelCount { packPanel(panel, 0) }
        }
    }

    deinit { storage.deallocate() }

    /// Bytes that a matrix of these dimensions takes once packed.
    package static func byteCount(type: PanelType, outputs: Int, inputs: Int) -> Int {
        (outputs + panelWidth - 1) / panelWidth * type.panelByteCount(inputs: inputs)
    }

    /// Step `input` of panel `panel`; not of quantised weights.
    @inline(__always)
    func step(panel: Int, input: Int) -> UnsafeRawPointer {
        UnsafeRawPointer(storage) + (panel * inputs + input) * numberBytes * Self.panelWidth
    }

    // MARK: - Quantised weights

    /// Blocks of inputs.
    var blockCount: Int { PanelType.blocks(inputs: inputs) }

    /// The numbers of block `block` of panel `panel`.
    @inline(__always)
    func block(_ block: Int, panel: Int) -> UnsafeMutableRawPointer {
        storage + (panel * blockCount + block) * type.blockByteCount
    }

    /// The scales, and behind them the minima, of block `block` of panel `panel`.
    @inline(__always)
    func scales(_ block: Int, panel: Int) -> UnsafeMutableRawPointer {
        storage + panelCount * blockCount * type.blockByteCount
            + (panel * blockCount + block) * type.scaleByteCount
    }

    // MARK: - Packing

    /// Bytes of one number.
    @inline(__always) private var numberBytes: Int { type == .float32 ? 4 : 2 }

    private func pack(panel: Int, from rowMajor: UnsafeRawPointer, storedAs stored: WeightType) {
        let first = panel * Self.panelWidth
        let columns = min(Self.panelWidth, outputs - first)
        let source = rowMajor + first * inputs * stored.byteCount
        if type.isQuantized {
            WeightQuantizer(matrix: self, panel: panel)
                .quantize(source, type: stored, columns: columns)
            return
        }
        let target = storage + panel * inputs * Self.panelWidth * numberBytes
        guard type == PanelType(stored) else {
            convert(source, storedAs: stored, columns: columns, into: target)
            return
        }
        switch stored {
        case .float32:
            interleave(source, columns: columns, into: target, as: UInt32.self) { $0 }
        case .bfloat16:
            interleave(source, columns: columns, into: target, as: UInt16.self, place: pairPlace)
        case .float16:
            interleave(source, columns: columns, into: target, as: UInt16.self) { $0 }
        }
    }

    /// Number j goes beside number j + 8: see BFloat16Lanes.
    @inline(__always)
    private func pairPlace(_ column: Int) -> Int { column < 8 ? column * 2 : column * 2 - 15 }

    /// Copies number k of row `column` to step k, place `place(column)`; 0 beyond `columns`.
    ///
    /// Works through 32 inputs at a time: the lines of all rows then stay in the first-level cache.
    @inline(__always)
    private func interleave<Bits: FixedWidthInteger>(
        _ source: UnsafeRawPointer,
        columns: Int,
        into target: UnsafeMutableRawPointer,
        as bits: Bits.Type,
        place: (Int) -> Int
    ) {
        let size = MemoryLayout<Bits>.size
        let target = target.bindMemory(to: Bits.self, capacity: inputs * Self.panelWidth)
        if columns < Self.panelWidth {
            target.initialize(repeating: 0, count: inputs * Self.panelWidth)
        }
        for block in stride(from: 0, to: inputs, by: 32) {
            let end = min(block + 32, inputs)
            for column in 0..<columns {
                let row = source + column * inputs * size
                let place = place(column)
                for k in block..<end {
                    target[k &* Self.panelWidth &+ place] =
                        row.loadUnaligned(fromByteOffset: k &* size, as: Bits.self)
                }
            }
        }
    }

    /// The same for numbers that are held otherwise than they are stored, by way of f32.
    private func convert(
        _ source: UnsafeRawPointer,
        storedAs stored: WeightType,
        columns: Int,
        into target: UnsafeMutableRawPointer
    ) {
        target.initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: inputs * Self.panelWidth * numberBytes
        )
        withUnsafeTemporaryAllocation(of: Float.self, capacity: inputs) { row in
            guard let row = row.baseAddress else { return }
            for column in 0..<columns {
                widen(
                    source + column * inputs * stored.byteCount,
                    type: stored,
                    count: inputs,
                    into: row
                )
                for k in 0..<inputs {
                    let place = k * Self.panelWidth
                    switch type {
                    case .bfloat16:
                        target.storeBytes(
                            of: roundedToBFloat16(row[k]),
                            toByteOffset: 2 * (place + pairPlace(column)),
                            as: UInt16.self
                        )
                    case .float16:
                        target.storeBytes(
                            of: Float16(row[k]).bitPattern,
                            toByteOffset: 2 * (place + column),
                            as: UInt16.self
                        )
                    default:
                        target.storeBytes(
                            of: row[k],
                            toByteOffset: 4 * (place + column),
                            as: Float.self
                        )
                    }
                }
            }
        }
    }
}
