/// The merges of byte-pair encoding: (left id, right id) → rank and the id of the joined token.
/// Open addressing over flat arrays; a `Dictionary` of the same content is three times slower.
struct MergeTable: Sendable {
    /// One learned merge. The lowest rank is applied first.
    struct Merge: Sendable {
        let rank: UInt32
        let merged: Int32
    }

    private static let empty = UInt64.max

    private var keys: [UInt64]
    private var merges: [Merge]
    private let mask: Int

    /// A table for at most `count` merges.
    init(count: Int) {
        var capacity = 16
        while capacity < count * 2 { capacity *= 2 }
        keys = Array(repeating: Self.empty, count: capacity)
        merges = Array(repeating: Merge(rank: 0, merged: 0), count: capacity)
        mask = capacity - 1
    }

    /// Adds a merge; one of the same pair is replaced, as in `tokenizers` (the last one counts).
    mutating func insert(left: Int32, right: Int32, merge: Merge) {
        let key = Self.key(left, right)
        var slot = Self.hash(key) & mask
        while keys[slot] != Self.empty && keys[slot] != key { slot = (slot + 1) & mask }
        keys[slot] = key
        merges[slot] = merge
    }

    /// The merge of two neighbouring tokens, nil when they never join.
    @inline(__always)
    func merge(_ left: Int32, _ right: Int32) -> Merge? {
        let key = Self.key(left, right)
        var slot = Self.hash(key) & mask
        while keys[slot] != key {
            if keys[slot] == Self.empty { return nil }
            slot = (slot + 1) & mask
        }
        return merges[slot]
    }

    /// Ids are not negative, so no key equals `empty`.
    @inline(__always)
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// Fibonacci hashing; the high half of the product is the well-mixed one.
    @inline(__always)
    private static func hash(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }
}
