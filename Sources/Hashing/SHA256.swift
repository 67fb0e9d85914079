import CPlatform

/// The SHA-256 hash function (FIPS 180-4), fed piece by piece.
///
/// Written here because Swift on Linux ships none: it names media, models, prompt templates and
/// judgements, and all of those digests must equal what `sha256sum` and PostgreSQL's `sha256()` give.
///
/// Where the processor has instructions for it they are used: 1.1 GB/s instead of 0.22.
package struct SHA256: Sendable {
    private var state: InlineArray<8, UInt32> = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
        0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    private var block = InlineArray<64, UInt8>(repeating: 0)
    private var blockCount = 0
    private var byteCount: UInt64 = 0

    private let usesInstructions: Bool

    /// A hash of nothing yet.
    package init() { self.init(withInstructions: true) }

    /// A hash of nothing yet.
    ///
    /// - Parameter withInstructions: Whether the processor's own instructions are used, where it has them.
    package init(withInstructions: Bool) { usesInstructions = withInstructions && processorHashes }

    /// The digest of one buffer.
    package static func digest(_ bytes: some Sequence<UInt8>) -> Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.digest()
    }

    /// Feeds bytes in memory. Whole blocks are hashed in place.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        byteCount &+= UInt64(bytes.count)
        var rest = bytes[...]
        if blockCount > 0 { fillBlock(from: &rest) }
        let whole = rest.count / 64
        if whole > 0 {
            compress(UnsafeRawBufferPointer(rebasing: rest.prefix(whole * 64)))
            rest = rest.dropFirst(whole * 64)
        }
        fillBlock(from: &rest)
    }

    /// Moves bytes to the end of the block, as many as it has room for; a full one is hashed.
    private mutating func fillBlock(from rest: inout Slice<UnsafeRawBufferPointer>) {
        let count = min(64 - blockCount, rest.count)
        for offset in 0..<count { block[blockCount &+ offset] = rest[rest.startIndex &+ offset] }
        blockCount += count
        rest = rest.dropFirst(count)
        if blockCount == 64 { compressBlock() }
    }

    /// Zeros from where the block ends to a place in it.
    private mutating func fillBlock(to end: Int) {
        while blockCount < end {
            block[blockCount] = 0
            blockCount += 1
        }
    }

    private mutating func compressBlock() {
        let full = block
        withUnsafeBytes(of: full) { compress($0) }
        blockCount = 0
    }

    /// Feeds any sequence of bytes.
    package mutating func update(_ bytes: some Sequence<UInt8>) {
        let done: Void? = bytes.withContiguousStorageIfAvailable {
            update(UnsafeRawBufferPointer($0))
        }
        if done == nil { Array(bytes).withUnsafeBytes { update($0) } }
    }

    /// Feeds the UTF-8 bytes of a string.
    package mutating func update(_ text: String) {
        update(text.utf8)
    }

    /// Feeds a length-prefixed field: eight bytes of length, big-endian, then the bytes. Fields
    /// written so cannot run into one another, so ("ab", "c") and ("a", "bc") differ.
    package mutating func update(field: some Collection<UInt8>) {
        withUnsafeBytes(of: UInt64(field.count).bigEndian) { update($0) }
        update(field)
    }

    /// Ends the hash. The value itself may go on being fed: a copy is padded.
    package func digest() -> Digest {
        var copy = self
        let bitCount = byteCount &* 8
        copy.block[copy.blockCount] = 0x80
        copy.blockCount += 1
        if copy.blockCount > 56 {
            copy.fillBlock(to: 64)
            copy.compressBlock()
        }
        copy.fillBlock(to: 56)
        withUnsafeBytes(of: bitCount.bigEndian) { copy.update($0) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        for index in 0..<8 {
            withUnsafeBytes(of: copy.state[index].bigEndian) { bytes.append(contentsOf: $0) }
        }
        return Digest(unchecked: bytes)
    }

    /// Folds whole blocks into the state.
    private mutating func compress(_ blocks: UnsafeRawBufferPointer) {
        guard usesInstructions, let start = blocks.baseAddress else {
            for place in stride(from: 0, to: blocks.count, by: 64) {
                compress { blocks[place &+ $0] }
            }
            return
        }
        withUnsafeMutableBytes(of: &state) { state in
            withUnsafeBytes(of: roundConstants) { constants in
                rewardd_sha256_compress(
                    state.baseAddress?.assumingMemoryBound(to: UInt32.self),
                    start,
                    blocks.count / 64,
                    constants.baseAddress?.assumingMemoryBound(to: UInt32.self)
                )
            }
        }
    }

    /// The compression function of FIPS 180-4 §6.2.2 over one block of 64 bytes.
    private mutating func compress(_ byte: (Int) -> UInt8) {
        var schedule = InlineArray<64, UInt32>(repeating: 0)
        for index in 0..<16 {
            let first = UInt32(byte(index &* 4)) << 24 | UInt32(byte(index &* 4 &+ 1)) << 16
            let second = UInt32(byte(index &* 4 &+ 2)) << 8 | UInt32(byte(index &* 4 &+ 3))
            schedule[index] = first | second
        }
        for index in 16..<64 {
            let early = schedule[index - 15]
            let late = schedule[index - 2]
            let small0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >> 3)
            let small1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >> 10)
            schedule[index] = schedule[index - 16] &+ small0 &+ schedule[index - 7] &+ small1
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for index in 0..<64 {
            let sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
            let choice = (e & f) ^ (~e & g)
            let first = h &+ sum1 &+ choice &+ roundConstants[index] &+ schedule[index]
            let sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
            let majority = (a & b) ^ (a & c) ^ (b & c)
            (h, g, f, e) = (g, f, e, d &+ first)
            (d, c, b, a) = (c, b, a, first &+ sum0 &+ majority)
        }
        state[0] &+= a
        state[1] &+= b
        state[2] &+= c
        state[3] &+= d
        state[4] &+= e
        state[5] &+= f
        state[6] &+= g
        state[7] &+= h
    }
}

private let processorHashes = rewardd_cpu_supports_sha256()

@inline(__always)
private func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 {
    (value >> count) | (value << (32 - count))
}

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4 §4.2.2).
private let roundConstants: InlineArray<64, UInt32> = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4,
    0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe,
    0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f,
    0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
    0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc,
    0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
    0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070, 0x19a4_c116,
    0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7,
    0xc671_78f2,
]
