/// The weight W [outputs N, inputs K] of y = x·Wᵀ, copied once into panels of 16 outputs.
///
/// Layout [⌈N/16⌉][K][16]: one step of a panel holds the weights of 16 outputs for one input, in the
/// storage type (`PanelLanes`). The product then reads memory in one ascending stream. Outputs that
/// fill up the last panel have weight 0.
// @unchecked Sendable because the memory behind `storage` is written only by init.
package final class PackedMatrix: @unchecked Sendable {
    /// Outputs in one panel.
    static let panelWidth = 16

    /// Rows of W, columns of y.
    package let outputs: Int
    /// Columns of W and of x.
    package let inputs: Int
    /// Storage type of the weights.
    package let type: WeightType
    /// Bytes taken by the panels.
    package let byteCount: Int

    let panelCount: Int
    private let storage: UnsafeMutableRawPointer

    /// Copies W from row-major storage, which may be unaligned and may go away afterwards.
    ///
    /// - Parameters:
    ///   - rowMajor: outputs × inputs numbers of `type`.
    ///   - pool: shares the copying when given; one thread copies 2–4 GB of bf16 a second.
    package init(
        rowMajor: UnsafeRawPointer,
        type: WeightType,
        outputs: Int,
        inputs: Int,
        pool: ComputeThreadPool? = nil
    ) {
        precondition(
            outputs > 0 && inputs > 0,
            "PackedMatrix: expected positive dimensions, got [\(outputs), \(inputs)]"
        )
        self.outputs = outputs
        self.inputs = inputs
        self.type = type
        panelCount = (outputs + Self.panelWidth - 1) / Self.panelWidth
        byteCount = Self.byteCount(type: type, outputs: outputs, inputs: inputs)
        storage = .allocate(byteCount: byteCount, alignment: 64)
        let packPanel = { (panel: Int, _: Int) in self.pack(panel: panel, from: rowMajor) }
        if let pool {
            pool.run(count: panelCount, packPanel)
        } else {
            for panel in 0..<panelCount { packPanel(panel, 0) }
        }
    }

    deinit { storage.deallocate() }

    /// Bytes that a matrix of these dimensions takes once packed.
    package static func byteCount(type: WeightType, outputs: Int, inputs: Int) -> Int {
        (outputs + panelWidth - 1) / panelWidth * panelWidth * inputs * type.byteCount
    }

    /// Step `input` of panel `panel`.
    @inline(__always)
    func step(panel: Int, input: Int) -> UnsafeRawPointer {
        UnsafeRawPointer(storage)
            + (panel * inputs + input) * (Self.panelWidth * type.byteCount)
    }

    private func pack(panel: Int, from rowMajor: UnsafeRawPointer) {
        let first = panel * Self.panelWidth
        let columns = min(Self.panelWidth, outputs - first)
        let source = rowMajor + first * inputs * type.byteCount
        let target = storage + panel * inputs * Self.panelWidth * type.byteCount
        switch type {
        case .float32:
            interleave(source, columns: columns, into: target, as: UInt32.self) { $0 }
        case .bfloat16:
            // Number j goes beside number j + 8: see BFloat16Lanes.
            interleave(source, columns: columns, into: target, as: UInt16.self) { column in
                column < 8 ? column * 2 : column * 2 - 15
            }
        case .float16:
            interleave(source, columns: columns, into: target, as: UInt16.self) { $0 }
        }
    }

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
}
