/// Up to 128 neighbouring keys of one segment (prefix or branch) of a sequence.
struct AttentionKeyBlock {
    /// Keys in one block: one row of the scores.
    static let limit = 128
    /// From one row of scores to the next: with 128 the rows would fall on 8 of the 64 sets of the
    /// first-level cache.
    static let stride = 144

    /// The row of the first key.
    let firstRow: Int
    /// Keys in this block, 1…128.
    let count: Int
    /// Panels of 16 keys before this block in the sequence; every segment begins a new panel.
    let firstPanel: Int

    /// Panels of 16 keys, the last one filled up.
    var panelCount: Int { (count + 15) / 16 }

    /// Keys with those that fill up the last panel.
    var width: Int { panelCount * 16 }
}

/// The rows of a prefix or of a branch.
struct AttentionSegment {
    /// Rows of the batch.
    let rows: Range<Int>
    /// Panels of 16 keys before it in the sequence.
    let firstPanel: Int

    /// Panels of 16 keys, the last one filled up.
    var panelCount: Int { (rows.count + 15) / 16 }

    /// Blocks of up to 128 keys.
    var blockCount: Int {
        (panelCount * 16 + AttentionKeyBlock.limit - 1) / AttentionKeyBlock.limit
    }

    /// Blocks of nearly equal numbers of panels.
    func block(_ index: Int) -> AttentionKeyBlock {
        let panels = evenRange(index, of: blockCount, count: panelCount)
        return AttentionKeyBlock(
            firstRow: rows.lowerBound + panels.lowerBound * 16,
            count: min(panels.upperBound * 16, rows.count) - panels.lowerBound * 16,
            firstPanel: firstPanel + panels.lowerBound
        )
    }
}

extension AttentionSequence {
    /// Calls `body` with the prefix as 0 and then each branch, empty ones left out.
    @inline(__always)
    func forEachSegment(_ body: (_ index: Int, _ segment: AttentionSegment) -> Void) {
        var row = firstRow
        var panel = 0
        for index in 0...branchCounts.count {
            let count = index == 0 ? prefixCount : branchCounts[index - 1]
            let segment = AttentionSegment(rows: row..<(row + count), firstPanel: panel)
            if count > 0 { body(index, segment) }
            row += count
            panel += segment.panelCount
        }
    }

    /// Panels of 16 keys in all segments.
    var panelCount: Int {
        branchCounts.reduce((prefixCount + 15) / 16) { $0 + ($1 + 15) / 16 }
    }

    /// Calls `body` with the blocks of keys that any of the rows `queries` of a segment sees: those of the
    /// prefix, then those of the segment itself. `isDiagonal`: a query sees the keys up to its own row;
    /// otherwise it sees all.
    @inline(__always)
    func forEachKeyBlock(
        of index: Int,
        _ segment: AttentionSegment,
        queries: Range<Int>,
        _ body: (_ block: AttentionKeyBlock, _ isDiagonal: Bool) -> Void
    ) {
        if index > 0, prefixCount > 0 {
            let prefix = AttentionSegment(
                rows: firstRow..<(firstRow + prefixCount),
                firstPanel: 0
            )
            for number in 0..<prefix.blockCount { body(prefix.block(number), false) }
        }
        for number in 0..<segment.blockCount {
            let block = segment.block(number)
            if isCausal, block.firstRow >= queries.upperBound { break }
            body(block, isCausal)
        }
    }
}
