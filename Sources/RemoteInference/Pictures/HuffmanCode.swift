/// A prefix code over symbols that occur so and so often, its longest word limited, its words canonical and
/// with their bits reversed, as deflate writes them (RFC 1951, §3.2.2).
struct HuffmanCode {
    /// Bits of each symbol's word; 0 for symbols that do not occur.
    let lengths: [Int]
    /// The words, first bit lowest.
    let codes: [UInt32]

    /// - Parameter longest: Most bits of a word; 2 to that power is at least the number of symbols.
    init(counts: [Int], longest: Int) {
        var counts = counts
        var lengths = Self.lengths(counts)
        while lengths.contains(where: { $0 > longest }) {
            // Flatter counts, shorter words: the loss is far below a percent where this happens.
            counts = counts.map { $0 == 0 ? 0 : $0 / 2 + 1 }
            lengths = Self.lengths(counts)
        }
        self.lengths = lengths
        codes = Self.codes(lengths)
    }

    /// The lengths of an optimal code: the two rarest are joined until one is left.
    private static func lengths(_ counts: [Int]) -> [Int] {
        var result = [Int](repeating: 0, count: counts.count)
        let used = counts.indices.filter { counts[$0] > 0 }
            .sorted { (counts[$0], $0) < (counts[$1], $1) }
        guard used.count > 1 else {
            for symbol in used { result[symbol] = 1 }
            return result
        }
        // Leaves first, then what joins them, in the order they are made: both rise in weight.
        var weights = used.map { counts[$0] }
        var parents = [Int](repeating: 0, count: 2 * used.count - 1)
        var leaf = 0
        var joint = used.count
        for node in used.count..<2 * used.count - 1 {
            var sum = 0
            for _ in 0..<2 {
                let takesLeaf =
                    leaf < used.count && (joint >= node || weights[leaf] <= weights[joint])
                let child = takesLeaf ? leaf : joint
                if takesLeaf { leaf += 1 } else { joint += 1 }
                parents[child] = node
                sum += weights[child]
            }
            weights.append(sum)
        }
        var depths = [Int](repeating: 0, count: parents.count)
        for node in stride(from: parents.count - 2, through: 0, by: -1) {
            depths[node] = depths[parents[node]] + 1
        }
        for (place, symbol) in used.enumerated() { result[symbol] = depths[place] }
        return result
    }

    private static func codes(_ lengths: [Int]) -> [UInt32] {
        var codes = [UInt32](repeating: 0, count: lengths.count)
        var next: UInt32 = 0
        for length in 1...max(lengths.max() ?? 1, 1) {
            for symbol in lengths.indices where lengths[symbol] == length {
                codes[symbol] = (0..<length).reduce(0) {
                    $0 | (next >> UInt32($1) & 1) << UInt32(length - 1 - $1)
                }
                next += 1
            }
            next <<= 1
        }
        return codes
    }
}
