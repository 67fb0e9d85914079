/// Changes bytes of a file at random but repeatably.
struct CheckpointMutator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number in 0..<limit.
    mutating func below(_ limit: Int) -> Int { limit > 0 ? Int(next() % UInt64(limit)) : 0 }

    /// One to four changes to a copy of `bytes`.
    mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...below(4) where !bytes.isEmpty {
            let place = below(bytes.count)
            let length = min(1 + below(12), bytes.count - place)
            let words = [
                "99999999999", "-1", "0", "null", "\"x\"", "1e30", "true", "[", "{}",
                "4611686018427387904",
            ]
            switch below(7) {
            case 0: bytes[place] ^= UInt8(1 << below(8))
            case 1: bytes[place] = UInt8(truncatingIfNeeded: next())
            case 2: bytes.removeSubrange(place..<place + length)
            case 3: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
            case 4: bytes.insert(Array("{}[]\",:0129-".utf8)[below(12)], at: place)
            case 5:
                bytes.replaceSubrange(
                    place..<place + length,
                    with: Array(words[below(words.count)].utf8)
                )
            default: if below(6) == 0 { bytes.removeLast(bytes.count - place) }
            }
        }
        return bytes
    }

    /// Replaces the value of one `"key": value` line of a pretty-printed JSON file.
    mutating func mutateValue(_ text: String) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let values = [
            "null", "-1", "0", "1", "3", "\"x\"", "true", "[]", "{}", "1e308",
            "9223372036854775807",
            "9223372036854775808", "-9223372036854775808", "1.5", "[[1]]", "[[0, 0]]",
            "\"anyres_max_99999999999999999999\"",
            "\"(1x1),...,(99999999999x9)\"", "65536", "16777216",
        ]
        for _ in 0...below(3) {
            let index = below(lines.count)
            guard let colon = lines[index].firstIndex(of: ":") else { continue }
            let comma = lines[index].hasSuffix(",") ? "," : ""
            lines[index] = lines[index][...colon] + " " + values[below(values.count)] + comma
        }
        return lines.joined(separator: "\n")
    }
}
