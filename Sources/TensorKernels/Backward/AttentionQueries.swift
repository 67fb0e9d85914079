/// Some pairs (row, head of the group) of one segment, in tiles of up to 6; indices count from the
/// first of them.
struct AttentionQueries {
    /// Pairs that go through the keys together. Measured backward, prefix 60 and three branches of 30:
    /// 48 and 36 are equal, 24 takes a tenth more; forward makes no difference.
    static let limit = 48

    /// The first row of the segment.
    let firstRow: Int
    /// Counted from the first row of the segment.
    let pairs: Range<Int>
    /// Heads of queries to one of keys.
    let group: Int

    /// Tiles of up to 6 pairs; the first `tallerTiles` are one higher than the others.
    let tiles: Int
    private let height: Int
    private let tallerTiles: Int

    /// At least one pair.
    init(firstRow: Int, pairs: Range<Int>, group: Int) {
        self.firstRow = firstRow
        self.pairs = pairs
        self.group = group
        tiles = (pairs.count + 5) / 6
        height = pairs.count / tiles
        tallerTiles = pairs.count % tiles
    }

    /// The pairs of a tile.
    @inline(__always)
    func tile(_ index: Int) -> Range<Int> {
        let first = index &* height &+ min(index, tallerTiles)
        return first..<(first &+ height &+ (index < tallerTiles ? 1 : 0))
    }

    /// Rows of the batch to which the pairs belong.
    var rows: Range<Int> {
        (firstRow + pairs.lowerBound / group)..<(firstRow + (pairs.upperBound - 1) / group + 1)
    }

    /// Keys of a block that a pair sees.
    @inline(__always)
    func visible(_ index: Int, _ keys: AttentionKeyBlock, isDiagonal: Bool) -> Int {
        guard isDiagonal else { return keys.count }
        let pair = pairs.lowerBound + index
        let row = firstRow + (group == 1 ? pair : pair / group)
        return min(max(row - keys.firstRow + 1, 0), keys.count)
    }

    /// The first pair that sees key `key` of a block; `pairs.count` or more when none does.
    @inline(__always)
    func firstSeeing(_ key: Int, of keys: AttentionKeyBlock, isDiagonal: Bool) -> Int {
        guard isDiagonal else { return 0 }
        return max((keys.firstRow + key - firstRow) * group - pairs.lowerBound, 0)
    }
}

extension AttentionSegment {
    /// Calls `body` with the pairs of the segment in blocks of nearly equal size.
    @inline(__always)
    func forEachQueryBlock(group: Int, _ body: (_ queries: AttentionQueries) -> Void) {
        let pairs = rows.count * group
        let blocks = (pairs + AttentionQueries.limit - 1) / AttentionQueries.limit
        for block in 0..<blocks {
            body(
                AttentionQueries(
                    firstRow: rows.lowerBound,
                    pairs: evenRange(block, of: blocks, count: pairs),
                    group: group
                )
            )
        }
    }
}
