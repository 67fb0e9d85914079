import TensorKernels

/// Rows of one sequence that a pass of the decoder computes beside those of other sequences.
package struct SequenceRows {
    /// What the sequence reads.
    package let input: ModelInput
    /// Which of its rows; they follow what the sequence holds.
    package let range: Range<Int>
    /// Where their keys and values go.
    package let sequence: SequenceState

    /// - Precondition: the sequence holds exactly the rows before `range` and has blocks for `range`.
    package init(input: ModelInput, range: Range<Int>, sequence: SequenceState) {
        precondition(range.lowerBound == sequence.count, "rows follow the sequence")
        precondition(!range.isEmpty && range.upperBound <= input.count, "rows of the input")
        precondition(range.upperBound <= sequence.capacity, "rows fit in the sequence")
        self.input = input
        self.range = range
        self.sequence = sequence
    }
}

/// The rows of one pass as the layers see them: where each stands and what it may look at.
///
/// Kept from pass to pass, so that a pass allocates nothing once the arrays have grown.
struct RowLayout {
    /// All rows.
    private(set) var count = 0
    /// The rows of each sequence.
    private(set) var segments: [QuerySegment] = []

    /// Lays out the rows of `parts`, one part after another.
    mutating func set(_ parts: [SequenceRows]) {
        count = 0
        segments.removeAll(keepingCapacity: true)
        for part in parts {
            segments.append(
                QuerySegment(
                    firstRow: count,
                    rows: part.range.count,
                    positions: part.range.upperBound,
                    table: part.sequence.table
                )
            )
            count += part.range.count
        }
    }
}
