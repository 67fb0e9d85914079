/// What a file's header announces: enough to refuse it before a decoder runs.
struct ImageHeader: Equatable, Sendable {
    /// In pixels; not yet checked against any limit, may be 0.
    let width: Int
    let height: Int
    /// Bits of a sample: 8, or for PNG 1, 2, 4, 8, 16.
    let bitDepth: Int
    /// One channel without alpha (PNG colour type 0, JPEG with one component).
    let isGray: Bool
    /// Of a JPEG: offset of the first byte after the sizes in its frame header; 0 otherwise.
    let pictureOffset: Int

    /// What another file's header announces, of samples of 8 bits.
    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        bitDepth = 8
        isGray = false
        pictureOffset = 0
    }

    /// Reads a JPEG up to its first frame header (ITU T.81, B.1.1.3 and B.2.2).
    init(jpeg bytes: [UInt8]) throws(MediaError) {
        var position = 2
        while true {
            // Like libjpeg, skip what is not a marker and any number of fill bytes.
            while position < bytes.count, bytes[position] != 0xFF { position += 1 }
            while position < bytes.count, bytes[position] == 0xFF { position += 1 }
            guard position < bytes.count else { throw Self.ended("JPEG", "a frame header (SOF)") }
            let marker = bytes[position]
            position += 1
            switch marker {
            case 0x00, 0x01, 0xD0...0xD8:
                continue  // stuffed byte or a marker that stands alone
            case 0xD9, 0xDA:
                throw .unreadable(
                    "JPEG: expected a frame header (SOF) before the picture data, got none."
                )
            case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
                guard position + 8 <= bytes.count else { throw Self.ended("JPEG", "its size") }
                bitDepth = Int(bytes[position + 2])
                height = Self.bigEndian(bytes, position + 3, count: 2)
                width = Self.bigEndian(bytes, position + 5, count: 2)
                isGray = bytes[position + 7] == 1
                pictureOffset = position + 8
                return
            default:
                guard position + 2 <= bytes.count else { throw Self.ended("JPEG", "a segment") }
                let length = Self.bigEndian(bytes, position, count: 2)
                guard length >= 2 else {
                    throw .unreadable(
                        "JPEG: expected a segment of at least 2 bytes, got \(length)."
                    )
                }
                position += length
            }
        }
    }

    /// Reads a PNG's IHDR (ISO 15948, 11.2.2).
    init(png bytes: [UInt8]) throws(MediaError) {
        guard bytes.count >= 8 + 8 + 13 else { throw Self.ended("PNG", "its header (IHDR)") }
        guard bytes[12..<16].elementsEqual("IHDR".utf8), Self.bigEndian(bytes, 8, count: 4) == 13
        else {
            throw .unreadable("PNG: expected IHDR of 13 bytes as the first chunk, got another.")
        }
        width = Self.bigEndian(bytes, 16, count: 4)
        height = Self.bigEndian(bytes, 20, count: 4)
        bitDepth = Int(bytes[24])
        isGray = bytes[25] == 0
        pictureOffset = 0
    }

    /// Reads a WebP's first chunk (RFC 9649): simple lossy, simple lossless or extended.
    init(webp bytes: [UInt8]) throws(MediaError) {
        guard bytes.count >= 30 else { throw Self.ended("WebP", "its size") }
        bitDepth = 8
        isGray = false
        pictureOffset = 0
        let payload = 20
        switch String(decoding: bytes[12..<16], as: UTF8.self) {
        case "VP8 ":
            // Frame tag of 3 bytes, start code, then two 14-bit sizes with 2 bits of scaling.
            guard bytes[payload] & 1 == 0,
                bytes[payload + 3..<payload + 6].elementsEqual([0x9D, 1, 0x2A])
            else { throw .unreadable("WebP: expected a VP8 key frame, got something else.") }
            width = Self.littleEndian(bytes, payload + 6, count: 2) & 0x3FFF
            height = Self.littleEndian(bytes, payload + 8, count: 2) & 0x3FFF
        case "VP8L":
            guard bytes[payload] == 0x2F else {
                throw .unreadable("WebP: expected a VP8L signature, got something else.")
            }
            let packed = Self.littleEndian(bytes, payload + 1, count: 4)
            width = (packed & 0x3FFF) + 1
            height = ((packed >> 14) & 0x3FFF) + 1
        case "VP8X":
            guard bytes[payload] & 0b10 == 0 else {
                throw .unsupported(
                    "image: expected a still image, got an animated WebP. "
                        + "Submit one frame of it."
                )
            }
            width = Self.littleEndian(bytes, payload + 4, count: 3) + 1
            height = Self.littleEndian(bytes, payload + 7, count: 3) + 1
        default:
            throw .unreadable("WebP: expected a VP8, VP8L or VP8X chunk first, got another.")
        }
    }

    static func ended(_ format: String, _ what: String) -> MediaError {
        .unreadable("\(format): expected \(what), got the end of the file. It is truncated.")
    }

    private static func bigEndian(_ bytes: [UInt8], _ start: Int, count: Int) -> Int {
        bytes[start..<start + count].reduce(0) { $0 << 8 | Int($1) }
    }

    static func littleEndian(_ bytes: [UInt8], _ start: Int, count: Int) -> Int {
        bytes[start..<start + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
