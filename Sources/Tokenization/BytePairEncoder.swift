/// Byte-pair encoding of one piece: starting from single bytes, the neighbouring pair of lowest
/// rank is joined, the leftmost first, until none is in the table (Sennrich et al. 2016, §3.2).
struct BytePairEncoder: Sendable {
    /// Above this many bytes a heap finds the next pair; below it a scan of the piece is quicker.
    private static let longestScan = 64

    private let byteTokens: [Int32]
    private let merges: MergeTable

    /// `byteTokens` holds the token id of each of the 256 bytes.
    init(byteTokens: [Int32], merges: MergeTable) {
        precondition(byteTokens.count == 256, "one token for every byte")
        self.byteTokens = byteTokens
        self.merges = merges
    }

    /// Appends the token ids of one piece. O(n log n): a megabyte without a space is no trouble.
    func encode(_ piece: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) {
        if piece.count == 1 {
            ids.append(byteTokens[Int(piece[0])])
        } else if piece.count <= Self.longestScan {
            encodeByScanning(piece, into: &ids)
        } else {
            encodeByHeap(piece, into: &ids)
        }
    }

    private func encodeByScanning(
        _ piece: UnsafeBufferPointer<UInt8>,
        into ids: inout [Int32]
    ) {
        let start = ids.count
        for byte in piece { ids.append(byteTokens[Int(byte)]) }
        while ids.count - start > 1 {
            var best: MergeTable.Merge?
            var bestIndex = start
            for index in start..<ids.count - 1 {
                guard let merge = merges.merge(ids[index], ids[index + 1]) else { continue }
                if let found = best, found.rank <= merge.rank { continue }
                best = merge
                bestIndex = index
            }
            guard let best else { return }
            ids[bestIndex] = best.merged
            ids.remove(at: bestIndex + 1)
        }
    }

    /// A linked list of symbols and a heap of (rank, position). Entries that a later merge made
    /// stale are recognised when popped: the pair at their position no longer has that rank.
    private func encodeByHeap(_ piece: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) {
        let count = piece.count
        var symbols = piece.map { byteTokens[Int($0)] }
        var next = (0..<count).map { $0 + 1 }
        var previous = (0..<count).map { $0 - 1 }
        var heap = MergeHeap(capacity: count)
        for index in 0..<count - 1 {
            guard let merge = merges.merge(symbols[index], symbols[index + 1]) else { continue }
            heap.push(rank: merge.rank, position: index)
        }
        while let (rank, left) = heap.popLowest() {
            // A symbol that was merged into its left neighbour is marked -1.
            let right = next[left]
            guard symbols[left] >= 0, right < count,
                let merge = merges.merge(symbols[left], symbols[right]), merge.rank == rank
            else { continue }
            symbols[left] = merge.merged
            symbols[right] = -1
            next[left] = next[right]
            if next[left] < count { previous[next[left]] = left }
            if previous[left] >= 0,
                let pair = merges.merge(symbols[previous[left]], symbols[left])
            {
                heap.push(rank: pair.rank, position: previous[left])
            }
            if next[left] < count, let pair = merges.merge(symbols[left], symbols[next[left]]) {
                heap.push(rank: pair.rank, position: left)
            }
        }
        for symbol in symbols where symbol >= 0 { ids.append(symbol) }
    }
}

/// A binary min-heap of (rank, position), the pair packed into one integer so that the lower rank,
/// then the lower position, comes first.
private struct MergeHeap {
    private var entries: [UInt64] = []

    init(capacity: Int) {
        entries.reserveCapacity(capacity)
    }

    mutating func push(rank: UInt32, position: Int) {
        entries.append(UInt64(rank) << 32 | UInt64(UInt32(truncatingIfNeeded: position)))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if entries[parent] <= entries[child] { return }
            entries.swapAt(parent, child)
            child = parent
        }
    }

    mutating func popLowest() -> (rank: UInt32, position: Int)? {
        guard let lowest = entries.first, let last = entries.popLast() else { return nil }
        if !entries.isEmpty {
            entries[0] = last
            var parent = 0
            while true {
                var child = parent * 2 + 1
                if child >= entries.count { break }
                if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
                if entries[parent] <= entries[child] { break }
                entries.swapAt(parent, child)
                parent = child
            }
        }
        return (UInt32(lowest >> 32), Int(lowest & 0xFFFF_FFFF))
    }
}
