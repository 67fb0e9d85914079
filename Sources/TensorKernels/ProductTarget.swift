/// One of the matrices that some rows are multiplied by: y = x·Wᵀ + bias, y [rows, outputs].
package struct ProductTarget {
    /// W [outputs, inputs].
    package let weight: PackedMatrix
    /// Outputs numbers, or nil.
    package let bias: UnsafePointer<Float>?
    /// Where the result goes; must not overlap x or another target.
    package let y: UnsafeMutablePointer<Float>

    /// Borrows its parts for one product.
    package init(
        _ weight: PackedMatrix,
        bias: UnsafePointer<Float>? = nil,
        into y: UnsafeMutablePointer<Float>
    ) {
        self.weight = weight
        self.bias = bias
        self.y = y
    }
}

/// What is done with each element of a product before it leaves the cache; the same bits as afterwards.
package enum ProductFinish {
    /// Nothing.
    case none
    /// Two targets, gate and up: the gate's y becomes silu(gate) · up, as by `siluMultiply`.
    case gate
    /// As by `geluTanh`.
    case geluTanh
}

/// Up to three matrices of one type and as many inputs, whose panels are handed out as if they were one matrix.
struct ProductTargets {
    let first: ProductTarget
    let second: ProductTarget?
    let third: ProductTarget?
    let finish: ProductFinish

    var type: PanelType { first.weight.type }
    var inputs: Int { first.weight.inputs }

    /// Whether one product can be made of them.
    var areAlike: Bool {
        for target in [second, third] {
            guard let target else { continue }
            if target.weight.type != type || target.weight.inputs != inputs { return false }
        }
        return true
    }

    /// Bytes of all weights.
    var byteCount: Int {
        first.weight.byteCount + (second?.weight.byteCount ?? 0) + (third?.weight.byteCount ?? 0)
    }

    /// Pieces of `unit` panels to hand out. Of a gate, piece n is the same columns of both targets.
    func units(of unit: Int) -> Int {
        if finish == .gate { return Self.units(first, unit) }
        return Self.units(first, unit) + Self.units(second, unit) + Self.units(third, unit)
    }

    private static func units(_ target: ProductTarget?, _ unit: Int) -> Int {
        target.map { ($0.weight.panelCount + unit - 1) / unit } ?? 0
    }

    /// Calls `body` with each target that has panels among the pieces `range`, and with these panels.
    @inline(__always)
    func forEach(
        _ range: Range<Int>,
        unit: Int,
        _ body: (_ target: ProductTarget, _ panels: Range<Int>) -> Void
    ) {
        var start = 0
        Self.visit(first, range, unit, &start, body)
        if finish == .gate { start = 0 }
        if let second { Self.visit(second, range, unit, &start, body) }
        if let third { Self.visit(third, range, unit, &start, body) }
    }

    @inline(__always)
    private static func visit(
        _ target: ProductTarget,
        _ range: Range<Int>,
        _ unit: Int,
        _ start: inout Int,
        _ body: (_ target: ProductTarget, _ panels: Range<Int>) -> Void
    ) {
        let count = units(target, unit)
        let lower = max(range.lowerBound - start, 0)
        let upper = min(range.upperBound - start, count)
        start += count
        guard lower < upper else { return }
        body(target, lower * unit..<min(upper * unit, target.weight.panelCount))
    }

    /// Does what `finish` says with the elements of some rows in the pieces `range`, all complete.
    func finish(rows: Range<Int>, _ range: Range<Int>, unit: Int) {
        guard finish != .none else { return }
        let outputs = first.weight.outputs
        let width = PackedMatrix.panelWidth * unit
        let columns = range.lowerBound * width..<min(range.upperBound * width, outputs)
        for row in rows {
            let offset = row * outputs + columns.lowerBound
            switch finish {
            case .gate:
                guard let second else { return }
                siluMultiply(first.y + offset, second.y + offset, count: columns.count)
            default: geluTanh(first.y + offset, count: columns.count)
            }
        }
    }
}
