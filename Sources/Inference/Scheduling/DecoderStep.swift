/// What the decoder does next: rows of several sequences in one pass.
struct DecoderStep: Equatable {
    /// A block whose rows are also wanted in another one.
    struct Copy: Equatable {
        let source: Int32
        let target: Int32
    }

    /// Rows of one sequence.
    struct Part: Equatable {
        /// The sequence and the request it belongs to.
        let sequence: Int
        let request: Int
        /// Rows of its input, after those it holds.
        let rows: Range<Int>
        /// Of these, the rows whose logits are wanted.
        let wanted: [Int]
        /// Its blocks, in order.
        let table: [Int32]
    }

    /// To be made in this order, before any row is computed.
    let copies: [Copy]
    /// At least one; no sequence twice.
    let parts: [Part]

    /// Rows of all parts.
    var rowCount: Int { parts.reduce(0) { $0 + $1.rows.count } }
}
