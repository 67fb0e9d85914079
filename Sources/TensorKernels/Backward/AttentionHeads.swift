/// The heads of a call, and where the numbers of a pair lie.
///
/// The rows of one kv head are pairs (row, head of its group): they share keys and values. Pair p of a
/// segment is row p / group, head p % group.
struct AttentionHeads {
    /// Bound by the scratch memory of a worker.
    static let dimensionLimit = 256

    /// Heads of queries.
    let heads: Int
    /// Heads of keys and values.
    let keyValueHeads: Int
    /// Numbers in one head of a row.
    let dimension: Int
    /// Heads of queries to one of keys.
    let group: Int
    /// The dimension filled up to whole panels of 16.
    let padded: Int

    /// Checks what a caller can get wrong.
    init(heads: Int, keyValueHeads: Int, dimension: Int) {
        precondition(
            heads > 0 && keyValueHeads > 0 && heads % keyValueHeads == 0,
            "sequenceAttention: expected a multiple of \(keyValueHeads) heads, got \(heads)"
        )
        precondition(
            dimension > 0 && dimension <= Self.dimensionLimit,
            "sequenceAttention: expected heads of 1…\(Self.dimensionLimit), got \(dimension)"
        )
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.dimension = dimension
        group = heads / keyValueHeads
        padded = (dimension + 15) / 16 * 16
    }

    /// Numbers in a row of keys.
    var keyStride: Int { keyValueHeads * dimension }

    /// The (row, head) of a pair, as an index into [rows, heads].
    @inline(__always)
    func rowHead(_ pair: Int, of queries: AttentionQueries, head: Int) -> Int {
        let pair = queries.pairs.lowerBound + pair
        if group == 1 { return (queries.firstRow + pair) * heads + head }
        return (queries.firstRow + pair / group) * heads + head * group + pair % group
    }

    /// Copies one head of a row, `dimension` numbers, and fills up to `padded` with 0.
    @inline(__always)
    func copyRow(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
        var column = 0
        while column + 16 <= dimension {
            store16(load16(x + column), into: y + column)
            column &+= 16
        }
        guard column < dimension else { return }
        store16(.zero, into: y + column)
        while column < dimension {
            y[column] = x[column]
            column &+= 1
        }
    }
}
