/// What an item came to, with its preference pair if it made one: one row of `rewardd.item_result`.
package struct ItemResultRow: Sendable, Equatable {
    /// Either a result or the reason why there is none.
    package enum Outcome: Sendable, Equatable {
        /// The result, a JSON object as text.
        case completed(json: String)
        /// A stable word and a sentence.
        case failed(code: String, message: String)
    }

    package var itemIndex: Int
    package var outcome: Outcome
    /// Fingerprints of the judgements it rests on, 32 bytes each.
    package var judgements: [[UInt8]]
    package var pair: PairRow?

    package init(
        itemIndex: Int,
        outcome: Outcome,
        judgements: [[UInt8]] = [],
        pair: PairRow? = nil
    ) {
        self.itemIndex = itemIndex
        self.outcome = outcome
        self.judgements = judgements
        self.pair = pair
    }

    /// Writes the keys that `rewardd.checkpoint` reads.
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("item_index", itemIndex)
            switch outcome {
            case .completed(let json):
                writer.field("state", "completed")
                writer.field("result", json: json)
                writer.field("error_code", String?.none)
                writer.field("error", String?.none)
            case .failed(let code, let message):
                writer.field("state", "failed")
                writer.field("result", json: nil)
                writer.field("error_code", code)
                writer.field("error", message)
            }
            writer.field("judgements") { writer in
                writer.array(judgements) { writer, fingerprint in writer.hex(fingerprint) }
            }
            writer.field("pair", pair) { $1.write(to: &$0) }
        }
    }
}
