/// Random numbers by place: the n-th of a seed is computed from both, without those before it.
///
/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): its
/// state after n steps is the seed plus n times a constant, so each output can be had by itself. An answer
/// that is put back and computed again draws the same numbers.
package enum CounterRandom {
    /// The 64 bits at a place, counted from 0.
    package static func bits(seed: UInt64, at place: UInt64) -> UInt64 {
        var mixed = seed &+ (place &+ 1) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// The number at a place, from 0 up to but without 1, in 53 bits.
    package static func unit(seed: UInt64, at place: UInt64) -> Double {
        Double(bits(seed: seed, at: place) >> 11) * 0x1p-53
    }
}
