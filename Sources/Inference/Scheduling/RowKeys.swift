import Transformer

/// Names the rows of inputs: two sequences that start with equal names start with equal rows.
///
/// A row of text is named by its token. A row of an image or clip is named by a number given to the key of
/// its features and its place in them. Names are meant for one engine and never given twice.
struct RowKeys {
    /// Most keys remembered. When there are more, all are forgotten: what was named before is then not
    /// found again, and its blocks are dropped in their turn.
    static let keyLimit = 1 << 16

    private var numbers: [String: UInt64] = [:]
    private var lastNumber: UInt64 = 0

    /// One name for each row.
    mutating func keys(of input: ModelInput) -> [UInt64] {
        var keys: [UInt64] = []
        keys.reserveCapacity(input.count)
        for piece in input.pieces {
            switch piece {
            case .tokens(let ids):
                keys.append(contentsOf: ids.lazy.map { RowKeys.key(token: $0) })
            case .image(let features, let key):
                append(key, count: features.tokens, to: &keys)
            case .awaited(let key, let count, _):
                append(key, count: count, to: &keys)
            }
        }
        return keys
    }

    /// The name of a row of text.
    static func key(token: Int32) -> UInt64 { UInt64(UInt32(bitPattern: token)) }

    /// The upper bit, 39 bits of the features' number, 24 of the row.
    private mutating func append(_ key: String, count: Int, to keys: inout [UInt64]) {
        precondition(count < 1 << 24, "rows of one image are counted in 24 bits")
        let first = 1 << 63 | number(of: key) << 24
        keys.append(contentsOf: (0..<UInt64(count)).lazy.map { first | $0 })
    }

    private mutating func number(of key: String) -> UInt64 {
        if let number = numbers[key] { return number }
        if numbers.count >= Self.keyLimit { numbers.removeAll(keepingCapacity: true) }
        lastNumber += 1
        numbers[key] = lastNumber
        return lastNumber
    }
}
