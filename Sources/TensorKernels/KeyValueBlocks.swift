#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// The memory for the keys and values of many sequences, in blocks of `KeyValueLayout`.
///
/// Which block belongs to which sequence is for its owner to say: a sequence is a table of block numbers.
/// One block may stand in the tables of several sequences that begin with the same rows. The system gives
/// the pages when they are first written, so a large budget costs nothing until it is used.
///
/// Not for use from several threads at once, except by `attention`, which only reads.
// @unchecked Sendable because its owner (an engine) hands it from thread to thread, never shares it.
package final class KeyValueBlocks: @unchecked Sendable {
    /// Where numbers lie in a block.
    package let layout: KeyValueLayout
    /// Number of blocks.
    package let count: Int

    private let base: UnsafeMutablePointer<Float>
    private let byteCount: Int

    /// Reserves `count` blocks, all zero.
    package init(layout: KeyValueLayout, count: Int) {
        precondition(count > 0, "KeyValueBlocks: expected at least one block, got \(count)")
        self.layout = layout
        self.count = count
        byteCount = count * layout.blockByteCount
        let memory = mmap(
            nil,
            byteCount,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
            -1,
            0
        )
        guard let memory, memory != MAP_FAILED else {
            preconditionFailure("KeyValueBlocks: the system refused \(byteCount) bytes")
        }
        base = memory.bindMemory(to: Float.self, capacity: count * layout.blockFloats)
    }

    deinit { munmap(base, byteCount) }

    /// Copies every layer of one block into another.
    package func copy(_ source: Int, to target: Int) {
        precondition((0..<count).contains(source) && (0..<count).contains(target), "blocks of this")
        (base + target * layout.blockFloats).update(
            from: base + source * layout.blockFloats,
            count: layout.blockFloats
        )
    }

    /// Writes the keys and values of `rows` positions of one layer, from position `first` of a sequence
    /// on; both are [rows, keyValueHeads · headDimension].
    ///
    /// - Parameters:
    ///   - table: the sequence's blocks, as many as positions `0..<first + rows` need.
    ///   - pool: shares the copying of many rows when given.
    package func write(
        keys newKeys: UnsafePointer<Float>,
        values newValues: UnsafePointer<Float>,
        rows: Int,
        table: UnsafePointer<Int32>,
        first: Int,
        layer: Int,
        pool: ComputeThreadPool? = nil
    ) {
        guard rows > 0 else { return }
        let size = KeyValueLayout.blockPositions
        let parts = (first + rows - 1) / size - first / size + 1
        func writePart(_ part: Int, _ worker: Int) {
            let start = max(first, (first / size + part) * size)
            let end = min(first + rows, (first / size + part + 1) * size)
            let block = Int(table[start / size])
            precondition(block >= 0 && block < count, "KeyValueBlocks: no block \(block)")
            let target = base + block * layout.blockFloats + layer * layout.layerFloats
            let offset = (start - first) * layout.keyValueHeads * layout.headDimension
            write(keys: newKeys + offset, rows: end - start, into: target, place: start % size)
            write(values: newValues + offset, rows: end - start, into: target, place: start % size)
        }
        // Few numbers are copied at once: handing them out would take longer.
        if let pool, rows * layout.keyValueHeads * layout.headDimension > 16 << 10 {
            pool.run(count: parts, writePart)
        } else {
            for part in 0..<parts { writePart(part, 0) }
        }
    }

    /// Goes panel by panel, so that a line of the panel is written while it is in the first-level cache.
    private func write(
        keys: UnsafePointer<Float>,
        rows: Int,
        into block: UnsafeMutablePointer<Float>,
        place: Int
    ) {
        let dimension = layout.headDimension
        let stride = layout.keyValueHeads * dimension
        for head in 0..<layout.keyValueHeads {
            var row = 0
            while row < rows {
                let lane = (place + row) % 16
                let lanes = min(16 - lane, rows - row)
                let panel =
                    block + head * layout.headKeyFloats + (place + row) / 16 * dimension * 16 + lane
                for index in 0..<dimension {
                    let source = keys + row * stride + head * dimension + index
                    let target = panel + index * 16
                    for offset in 0..<lanes { target[offset] = source[offset &* stride] }
                }
                row += lanes
            }
        }
    }

    private func write(
        values: UnsafePointer<Float>,
        rows: Int,
        into block: UnsafeMutablePointer<Float>,
        place: Int
    ) {
        let dimension = layout.headDimension
        let stride = layout.keyValueHeads * dimension
        let start = block + layout.keyValueHeads * layout.headKeyFloats
        for head in 0..<layout.keyValueHeads {
            for panel in 0..<layout.valuePanels {
                let target =
                    start + head * layout.headValueFloats
                    + (panel * KeyValueLayout.blockPositions + place) * 16
                let source = values + head * dimension + panel * 16
                let columns = min(16, dimension - panel * 16)
                for row in 0..<rows {
                    (target + row * 16).update(from: source + row * stride, count: columns)
                }
            }
        }
    }

    /// What `attention` reads of one layer of a sequence.
    func reader(table: UnsafePointer<Int32>, layer: Int) -> KeyValueReader {
        KeyValueReader(
            layerBase: UnsafePointer(base + layer * layout.layerFloats),
            table: table,
            headDimension: layout.headDimension,
            blockFloats: layout.blockFloats,
            headKeyFloats: layout.headKeyFloats,
            headValueFloats: layout.headValueFloats,
            firstValue: layout.keyValueHeads * layout.headKeyFloats
        )
    }
}

/// The keys and values of one sequence and layer, by position.
struct KeyValueReader {
    fileprivate let layerBase: UnsafePointer<Float>
    fileprivate let table: UnsafePointer<Int32>
    let headDimension: Int
    fileprivate let blockFloats: Int
    fileprivate let headKeyFloats: Int
    fileprivate let headValueFloats: Int
    fileprivate let firstValue: Int

    /// The panel holding the keys of positions 16·index … 16·index+15: [headDimension][16].
    @inline(__always)
    func keyPanel(_ index: Int, head: Int) -> UnsafePointer<Float> {
        let panels = KeyValueLayout.blockPositions / 16
        return block(index / panels) + head * headKeyFloats + index % panels * headDimension * 16
    }

    /// Columns 16·index … of the values of the 64 positions of block number `place` of the sequence:
    /// [64][16].
    @inline(__always)
    func valuePanel(_ index: Int, head: Int, block place: Int) -> UnsafePointer<Float> {
        block(place) + firstValue + head * headValueFloats
            + index * KeyValueLayout.blockPositions * 16
    }

    /// Bytes from one such panel to the next.
    @inline(__always)
    var valuePanelBytes: Int { KeyValueLayout.blockPositions * 16 * MemoryLayout<Float>.size }

    @inline(__always)
    private func block(_ place: Int) -> UnsafePointer<Float> {
        layerBase + Int(table[place]) * blockFloats
    }
}
