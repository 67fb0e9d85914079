/// One attention layer's keys and values for one sequence.
///
/// Both lie in panels, so that attention runs through the microkernel of the matrix product:
/// - keys, per kv head: panels of 16 positions, [⌈capacity/16⌉][headDimension][16];
/// - values, per kv head: panels of 16 columns, [⌈headDimension/16⌉][capacity][16].
/// Positions and columns that fill up a panel are 0 and stay finite.
///
/// Not for use from several threads at once, except by `attention`, which only reads.
// @unchecked Sendable because its owner (a sequence) hands it from thread to thread, never shares it.
package final class KeyValueCache: @unchecked Sendable {
    /// Positions that fit.
    package let capacity: Int
    /// Heads of keys and values; several heads of queries share one.
    package let keyValueHeads: Int
    /// Numbers in one key, and in one value.
    package let headDimension: Int
    /// Positions filled.
    package private(set) var count = 0

    private let keyPanels: Int
    private let valuePanels: Int
    private let keys: UnsafeMutablePointer<Float>
    private let values: UnsafeMutablePointer<Float>

    /// Takes the memory for `capacity` positions at once.
    package init(capacity: Int, keyValueHeads: Int, headDimension: Int) {
        precondition(
            capacity > 0 && keyValueHeads > 0 && headDimension > 0,
            "KeyValueCache: expected positive dimensions, got capacity \(capacity), "
                + "\(keyValueHeads) heads of \(headDimension)"
        )
        self.capacity = capacity
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
        keyPanels = (capacity + 15) / 16
        valuePanels = (headDimension + 15) / 16
        keys = Self.zeroed(keyValueHeads * keyPanels * headDimension * 16)
        values = Self.zeroed(keyValueHeads * valuePanels * capacity * 16)
    }

    deinit {
        keys.deallocate()
        values.deallocate()
    }

    /// Adds `rows` positions; keys and values are [rows, keyValueHeads · headDimension].
    package func append(
        keys newKeys: UnsafePointer<Float>,
        values newValues: UnsafePointer<Float>,
        rows: Int
    ) {
        precondition(
            rows >= 0 && count + rows <= capacity,
            "KeyValueCache: expected at most \(capacity) positions, got \(count + rows)"
        )
        let stride = keyValueHeads * headDimension
        for head in 0..<keyValueHeads {
            append(keys: newKeys + head * headDimension, stride: stride, rows: rows, head: head)
            append(values: newValues + head * headDimension, stride: stride, rows: rows, head: head)
        }
        count += rows
    }

    /// Forgets the positions from `count` on.
    package func truncate(to count: Int) {
        precondition(
            count >= 0 && count <= self.count,
            "KeyValueCache: expected to keep 0…\(self.count) positions, got \(count)"
        )
        self.count = count
    }

    /// Bytes that a cache of these dimensions takes.
    package static func byteCount(capacity: Int, keyValueHeads: Int, headDimension: Int) -> Int {
        let keys = (capacity + 15) / 16 * 16 * headDimension
        let values = (headDimension + 15) / 16 * 16 * capacity
        return (keys + values) * keyValueHeads * MemoryLayout<Float>.size
    }

    /// The panel holding the keys of positions 16·index … 16·index+15: [headDimension][16].
    @inline(__always)
    func keyPanel(_ index: Int, head: Int) -> UnsafePointer<Float> {
        UnsafePointer(keys + (head * keyPanels + index) * headDimension * 16)
    }

    /// The panel holding columns 16·index … of the values from `position` on: [positions][16].
    @inline(__always)
    func valuePanel(_ index: Int, head: Int, position: Int) -> UnsafePointer<Float> {
        UnsafePointer(values + ((head * valuePanels + index) * capacity + position) * 16)
    }

    /// Goes panel by panel, so that a line of the panel is written while it is in the first-level cache.
    private func append(keys source: UnsafePointer<Float>, stride: Int, rows: Int, head: Int) {
        var row = 0
        while row < rows {
            let position = count + row
            let lane = position % 16
            let lanes = min(16 - lane, rows - row)
            let panel =
                keys + (head * keyPanels + position / 16) * headDimension * 16 + lane
            for index in 0..<headDimension {
                let source = source + row * stride + index
                let target = panel + index * 16
                for offset in 0..<lanes { target[offset] = source[offset &* stride] }
            }
            row += lanes
        }
    }

    private func append(values source: UnsafePointer<Float>, stride: Int, rows: Int, head: Int) {
        for row in 0..<rows {
            for panel in 0..<valuePanels {
                let target = values + ((head * valuePanels + panel) * capacity + count + row) * 16
                target.update(
                    from: source + row * stride + panel * 16,
                    count: min(16, headDimension - panel * 16)
                )
            }
        }
    }

    private static func zeroed(_ count: Int) -> UnsafeMutablePointer<Float> {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
        return memory.initializeMemory(as: Float.self, repeating: 0, count: count)
    }
}
