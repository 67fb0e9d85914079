/// Changes bytes of a file at random but repeatably: flips, inserts, deletes, duplicates, truncates.
struct ByteMutator {
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
            switch below(7) {
            case 0: bytes[place] ^= UInt8(1 << below(8))
            case 1: bytes[place] = UInt8(truncatingIfNeeded: next())
            case 2: bytes.removeSubrange(place..<place + length)
            case 3: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
            case 4: bytes.insert(Array("{}[]\",:0129-%'\\tneu".utf8)[below(19)], at: place)
            case 5: bytes.replaceSubrange(place..<place + length, with: Array("99999999999".utf8))
            default: if below(8) == 0 { bytes.removeLast(bytes.count - place) }
            }
        }
        return bytes
    }
}
