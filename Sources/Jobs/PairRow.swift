/// A preference pair: one row of `rewardd.preference_pair`.
package struct PairRow: Sendable, Equatable {
    /// Places of the two candidates in the item, from 0.
    package var chosenIndex: Int
    package var rejectedIndex: Int
    /// The candidates as the item gave them, JSON as text.
    package var chosenJSON: String
    package var rejectedJSON: String
    package var chosenScore: Double?
    package var rejectedScore: Double?
    package var margin: Double?
    /// Comparisons and scores the pair rests on, a JSON object as text.
    package var evidenceJSON: String

    package init(
        chosenIndex: Int,
        rejectedIndex: Int,
        chosenJSON: String,
        rejectedJSON: String,
        chosenScore: Double? = nil,
        rejectedScore: Double? = nil,
        margin: Double? = nil,
        evidenceJSON: String = "{}"
    ) {
        self.chosenIndex = chosenIndex
        self.rejectedIndex = rejectedIndex
        self.chosenJSON = chosenJSON
        self.rejectedJSON = rejectedJSON
        self.chosenScore = chosenScore
        self.rejectedScore = rejectedScore
        self.margin = margin
        self.evidenceJSON = evidenceJSON
    }

    /// Writes the keys that `rewardd.checkpoint` reads.
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("chosen_index", chosenIndex)
            writer.field("rejected_index", rejectedIndex)
            writer.field("chosen", json: chosenJSON)
            writer.field("rejected", json: rejectedJSON)
            writer.field("chosen_score", chosenScore)
            writer.field("rejected_score", rejectedScore)
            writer.field("margin", margin)
            writer.field("evidence", json: evidenceJSON)
        }
    }
}
