/// The ending a media file's name gets: trainers choose their decoder by it.
enum MediaExtension {
    /// The ending of a path, with its dot, in lower case; nothing when it has none that is short and
    /// plain.
    static func of(path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return "" }
        let ending = name[dot...].lowercased()
        let isPlain = ending.dropFirst().allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
        return ending.count <= 6 && isPlain ? ending : ""
    }

    /// The ending for bytes by how they start; `.bin` for what is not known.
    static func of(_ bytes: [UInt8]) -> String {
        let known: [(offset: Int, start: [UInt8], ending: String)] = [
            (0, [0x89, 0x50, 0x4E, 0x47], ".png"), (0, [0xFF, 0xD8, 0xFF], ".jpg"),
            (0, Array("GIF8".utf8), ".gif"), (8, Array("WEBP".utf8), ".webp"),
            (0, Array("BM".utf8), ".bmp"), (4, Array("ftypavif".utf8), ".avif"),
            (4, Array("ftyp".utf8), ".mp4"), (0, [0x1A, 0x45, 0xDF, 0xA3], ".webm"),
            (8, Array("AVI ".utf8), ".avi"), (0, [0x49, 0x49, 0x2A, 0], ".tiff"),
            (0, [0x4D, 0x4D, 0, 0x2A], ".tiff"), (0, Array("P6".utf8), ".ppm"),
        ]
        return known.first { bytes.dropFirst($0.offset).starts(with: $0.start) }?.ending ?? ".bin"
    }
}
