/// Token id → the bytes it decodes to. One flat buffer: 150,000 small arrays would cost 10 MB more.
struct Vocabulary: Sendable {
    /// The ids are `0..<count`; some of them may have no token.
    let count: Int
    private let bytes: [UInt8]
    /// The token of id i is `bytes[ends[i - 1]..<ends[i]]`.
    private let ends: [Int32]
    private let isPresent: [Bool]
    private let isSpecial: [Bool]

    /// `tokens[i]` is the token of id i, nil where there is none; `specialIDs` are inside its range.
    init(tokens: [[UInt8]?], specialIDs: [Int32]) {
        count = tokens.count
        var bytes: [UInt8] = []
        var ends: [Int32] = []
        ends.reserveCapacity(tokens.count)
        for token in tokens {
            bytes += token ?? []
            ends.append(Int32(bytes.count))
        }
        self.bytes = bytes
        self.ends = ends
        isPresent = tokens.map { $0 != nil }
        var special = Array(repeating: false, count: tokens.count)
        for id in specialIDs { special[Int(id)] = true }
        isSpecial = special
    }

    func isSpecial(_ id: Int32) -> Bool {
        id >= 0 && Int(id) < count && isSpecial[Int(id)]
    }

    func contains(_ id: Int32) -> Bool {
        id >= 0 && Int(id) < count && isPresent[Int(id)]
    }

    /// The bytes of a token; empty for an id without one (a model's rows exceed its vocabulary).
    func bytes(of id: Int32) -> ArraySlice<UInt8> {
        guard contains(id) else { return [] }
        let index = Int(id)
        return bytes[(index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index])]
    }
}
