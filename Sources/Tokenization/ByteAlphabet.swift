/// The 256 printable stand-ins of byte-level BPE: vocabulary files write every byte of a token as
/// one printable character (GPT-2 `encoder.py`, `bytes_to_unicode`). Bytes that print stand for
/// themselves; the other 68 follow in order from U+0100, so a space is written U+0120 'Ġ'.
enum ByteAlphabet {
    /// The byte which a character stands for; nil for the 256 + k characters outside the alphabet.
    static func byte(of scalar: Unicode.Scalar) -> UInt8? {
        scalar.value < 0x144 ? byScalar[Int(scalar.value)] : nil
    }

    /// The UTF-8 spelling in a vocabulary file of one byte.
    static func spelling(of byte: UInt8) -> [UInt8] {
        Array(String(Character(scalars[Int(byte)])).utf8)
    }

    /// The bytes that a token written in a vocabulary file stands for. A token with any character
    /// outside the alphabet stands for its own UTF-8 bytes (`tokenizers`, `byte_level.rs`).
    static func bytes(ofToken token: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(token.utf8.count)
        for scalar in token.unicodeScalars {
            guard let byte = byte(of: scalar) else { return Array(token.utf8) }
            bytes.append(byte)
        }
        return bytes
    }

    private static func standsForItself(_ byte: Int) -> Bool {
        (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
    }

    private static let scalars: [Unicode.Scalar] = {
        var scalars: [Unicode.Scalar] = []
        var next: UInt32 = 0x100
        for byte in 0..<256 {
            if standsForItself(byte) {
                scalars.append(Unicode.Scalar(UInt8(byte)))
            } else {
                scalars.append(Unicode.Scalar(next) ?? "\u{FFFD}")
                next += 1
            }
        }
        return scalars
    }()

    private static let byScalar: [UInt8?] = {
        var table: [UInt8?] = Array(repeating: nil, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { table[Int(scalar.value)] = UInt8(byte) }
        return table
    }()
}
