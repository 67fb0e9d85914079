/// What a file is, by its first bytes; names and extensions are never looked at.
enum MediaFormat: Equatable, Sendable {
    case jpeg
    case png
    case webp
    /// Binary PPM ("P6"): plain pixels, which need no decoder.
    case ppm
    /// Still or animated.
    case gif
    case bmp
    /// MP4 or QuickTime, by its first box.
    case mov
    /// Matroska or WebM.
    case matroska
    /// Recognised, and not decoded here: "TIFF", "AVI video", …
    case unsupported(String)
    /// Nothing recognised: "text", "unknown bytes '00 01 …'", "an empty file".
    case unknown(String)

    /// Looks at no more than the first 64 bytes.
    init(of bytes: [UInt8]) {
        let head = bytes.prefix(64)
        self =
            if head.starts(with: [0xFF, 0xD8, 0xFF]) {
                .jpeg
            } else if head.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
                .png
            } else if head.starts(with: Self.ascii("RIFF")), Self.has("WEBP", at: 8, in: head) {
                .webp
            } else if Self.netpbmKind(head) == 0x36 {
                .ppm
            } else if head.starts(with: Self.ascii("GIF87a"))
                || head.starts(with: Self.ascii("GIF89a"))
            {
                .gif
            } else if Self.isBMP(head) {
                .bmp
            } else if head.starts(with: [0x1A, 0x45, 0xDF, 0xA3]) {
                .matroska
            } else if let format = Self.boxFormat(head) {
                format
            } else if let name = Self.foreignName(head) {
                .unsupported(name)
            } else {
                .unknown(Self.impression(head))
            }
    }

    private static let foreign: [(prefix: [UInt8], name: String)] = [
        ([0x49, 0x49, 0x2A, 0x00], "TIFF"), ([0x4D, 0x4D, 0x00, 0x2A], "TIFF"),
        (ascii("8BPS"), "Photoshop"), (ascii("%PDF"), "PDF"), (ascii("%!PS"), "PostScript"),
        ([0xFF, 0x0A], "JPEG XL"), ([0, 0, 0, 12] + ascii("JXL "), "JPEG XL"),
        ([0, 0, 0, 12] + ascii("jP  "), "JPEG 2000"), ([0xFF, 0x4F, 0xFF, 0x51], "JPEG 2000"),
        (ascii("OggS"), "Ogg"), ([0, 0, 1, 0xBA], "MPEG video"), ([0, 0, 1, 0xB3], "MPEG video"),
        ([0x1F, 0x8B], "gzip"), (ascii("PK\u{3}\u{4}"), "ZIP"), ([0, 0, 1, 0], "ICO"),
        (ascii("qoif"), "QOI"), ([0x76, 0x2F, 0x31, 0x01], "OpenEXR"),
    ]

    /// What it is in a message: "a PNG image", "TIFF", "unknown bytes '00 01 …'".
    var name: String {
        switch self {
        case .jpeg: "a JPEG image"
        case .png: "a PNG image"
        case .webp: "a WebP image"
        case .ppm: "a PPM image"
        case .gif: "GIF"
        case .bmp: "BMP"
        case .mov: "MP4 or QuickTime video"
        case .matroska: "Matroska or WebM video"
        case .unsupported(let name), .unknown(let name): name
        }
    }

    /// Two letters are too few: the two reserved words of a BMP header are zero.
    private static func isBMP(_ head: ArraySlice<UInt8>) -> Bool {
        head.starts(with: ascii("BM")) && head.count >= 26
            && head.dropFirst(6).prefix(4).allSatisfy { $0 == 0 }
    }

    /// Of a file that starts with a box of ISO 14496-12 or QuickTime.
    private static func boxFormat(_ head: ArraySlice<UInt8>) -> MediaFormat? {
        if ["moov", "mdat", "wide", "free", "skip"].contains(where: { has($0, at: 4, in: head) }) {
            return .mov
        }
        guard has("ftyp", at: 4, in: head) else { return nil }
        switch String(decoding: head.dropFirst(8).prefix(4), as: UTF8.self) {
        case "avif", "avis": return .unsupported("AVIF")
        case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1":
            return .unsupported("HEIC")
        default: return .mov
        }
    }

    private static func foreignName(_ head: ArraySlice<UInt8>) -> String? {
        if let match = foreign.first(where: { head.starts(with: $0.prefix) }) { return match.name }
        if head.starts(with: ascii("RIFF")), has("AVI ", at: 8, in: head) { return "AVI video" }
        if netpbmKind(head) != nil { return "PNM other than binary PPM" }
        return nil
    }

    /// The digit after the P of a netpbm file, as ASCII.
    private static func netpbmKind(_ head: ArraySlice<UInt8>) -> UInt8? {
        guard head.count >= 3, head[0] == 0x50, (0x31...0x37).contains(head[1]),
            head[2] == 0x0A || head[2] == 0x20
        else { return nil }
        return head[1]
    }

    /// How an unrecognised start is named in a message.
    private static func impression(_ head: ArraySlice<UInt8>) -> String {
        if head.isEmpty { return "an empty file" }
        let isText = head.allSatisfy {
            (0x20...0x7E).contains($0) || [0x09, 0x0A, 0x0D].contains($0)
        }
        if isText { return "text" }
        let digits = Array("0123456789abcdef")
        let dump = head.prefix(8).map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }
        return "unknown bytes '\(dump.joined(separator: " "))'"
    }

    private static func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func has(_ text: String, at offset: Int, in head: ArraySlice<UInt8>) -> Bool {
        head.dropFirst(offset).starts(with: ascii(text))
    }
}
