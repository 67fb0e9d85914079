/// One sequence of a request as the scheduler sees it: names of rows, blocks, and how far it is.
struct ScheduledSequence: Equatable {
    /// Counted upwards: the order of arrival.
    let id: Int
    let request: Int
    /// Higher goes first.
    let priority: Int
    /// Sequences share rows within one namespace.
    let namespace: Int
    /// One name for each row: equal names after equal rows, equal keys and values.
    var keys: [UInt64]
    /// Rows whose logits are still wanted, ascending.
    var wanted: [Int]
    /// Rows whose keys and values the blocks hold.
    var filled = 0
    /// Its blocks, in order; empty while it waits.
    var table: [Int32] = []
    /// The tree's nodes for the blocks that hold computed rows.
    var path: [Int] = []

    /// Whether it comes before another in everything.
    func precedes(_ other: ScheduledSequence) -> Bool {
        priority != other.priority ? priority > other.priority : id < other.id
    }

    /// Rows that may be found instead of computed: those before the first whose logits are wanted.
    var shareableCount: Int { wanted.first ?? keys.count }
}

/// A sequence somebody asks for.
struct SequenceDemand: Equatable {
    /// One name for each row.
    let keys: [UInt64]
    /// Rows whose logits are wanted, ascending; at least one.
    let wanted: [Int]
}

/// Rows of a request that cannot be computed before an image or clip is encoded.
struct AwaitedVisual: Equatable {
    /// The visual's place in the prompt.
    let visual: Int
    /// Its rows, the same in every sequence of the request.
    let rows: Range<Int>
}
