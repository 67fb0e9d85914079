import Hashing
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    /// Vectors of FIPS 180-4's examples and lengths round the padding edges, made with `sha256sum`.
    @Test(
        "equals the published digests",
        arguments: [
            (
                String(repeating: "a", count: 55),
                "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"
            ),
            (
                String(repeating: "a", count: 64),
                "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"
            ),
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ]
    )
    func knownVectors(text: String, expected: String) {
        #expect(SHA256.digest(text.utf8).hex == expected)
    }

    @Test("a million letters a, fed in uneven pieces, equal the published digest")
    func uneven() {
        var hash = SHA256()
        var left = 1_000_000
        var piece = 1
        while left > 0 {
            let count = min(piece, left)
            hash.update([UInt8](repeating: 0x61, count: count))
            left -= count
            piece = piece % 197 + 13
        }
        #expect(
            hash.digest().hex
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        )
    }

    @Test("every length round the block edges gives the same digest in one piece and byte by byte")
    func edges() {
        for count in 0..<200 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            var hash = SHA256()
            for byte in bytes { hash.update(CollectionOfOne(byte)) }
            #expect(hash.digest() == SHA256.digest(bytes), "length \(count)")
        }
    }

    @Test("the processor's instructions and plain arithmetic give the same digests")
    func twins() {
        var random = SystemRandomNumberGenerator()
        for count in [0, 1, 63, 64, 65, 127, 128, 129, 1000, 4096, 100_003] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            var fast = SHA256()
            var slow = SHA256(withInstructions: false)
            fast.update(bytes)
            slow.update(bytes)
            #expect(fast.digest() == slow.digest(), "\(count) bytes: \(bytes.prefix(64))")
        }
    }

    @Test("length-prefixed fields do not run into one another")
    func fields() {
        var first = SHA256()
        first.update(field: "ab".utf8)
        first.update(field: "c".utf8)
        var second = SHA256()
        second.update(field: "a".utf8)
        second.update(field: "bc".utf8)
        #expect(first.digest() != second.digest())
    }

    @Test("a digest reads back from its hexadecimal form and refuses any other text")
    func hexadecimal() {
        let digest = SHA256.digest("x".utf8)
        #expect(Digest(hex: digest.hex) == digest)
        #expect(Digest(hex: digest.hex.uppercased()) == digest)
        #expect(Digest(hex: String(digest.hex.dropLast())) == nil)
        #expect(Digest(hex: String(digest.hex.dropLast()) + "g") == nil)
        #expect(Digest(bytes: [1, 2, 3]) == nil)
    }
}
