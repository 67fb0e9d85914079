/// A small generator whose numbers follow from its seed alone, on every machine.
///
/// xoshiro256** with its state filled by splitmix64 (Blackman and Vigna 2021, "Scrambled linear
/// pseudorandom number generators"). The helpers below use integers and exact floating-point
/// operations only, and not the standard library's `random(in:using:)`, whose way of drawing may
/// change from one release to the next.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// A generator for one seed.
    package init(seed: UInt64) {
        var mixer = seed
        state = (
            Self.splitMix(&mixer), Self.splitMix(&mixer), Self.splitMix(&mixer),
            Self.splitMix(&mixer)
        )
    }

    /// A generator for a place in a tree of seeds: every part changes every bit, and the number of
    /// parts counts too, so that `[1]` and `[1, 0]` are different places.
    package init(path parts: [UInt64]) {
        var seed = UInt64(parts.count)
        for part in parts {
            seed ^= part
            seed = Self.splitMix(&seed)
        }
        self.init(seed: seed)
    }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        let result = Self.rotated(state.1 &* 5, by: 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = Self.rotated(state.3, by: 45)
        return result
    }

    /// A whole number from 0 up to, but without, `bound`. The bias of the multiplication is below
    /// 2⁻³² for the small bounds used here.
    package mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0 && bound <= Int(UInt32.max), "a bound from 1 to 2^32 - 1")
        return Int(((next() >> 32) &* UInt64(bound)) >> 32)
    }

    /// A number in [0, 1) with 53 bits.
    package mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A number from `low` up to `high`.
    package mutating func between(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * unit()
    }

    /// True with the given probability.
    package mutating func chance(_ probability: Double) -> Bool {
        unit() < probability
    }

    /// One element of a list that is not empty.
    package mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }

    /// The elements in random order (Fisher and Yates).
    package mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var elements = elements
        for last in stride(from: elements.count - 1, to: 0, by: -1) {
            elements.swapAt(last, below(last + 1))
        }
        return elements
    }

    private static func splitMix(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    private static func rotated(_ value: UInt64, by count: UInt64) -> UInt64 {
        value << count | value >> (64 - count)
    }
}
