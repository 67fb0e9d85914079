/// Where the blocks of a GIF lie (GIF89a specification, 17–27). Pixels are not looked at.
struct GIFBlocks: Equatable, Sendable {
    /// The canvas, in pixels.
    private(set) var width = 0
    private(set) var height = 0
    /// Whether the first picture covers the whole canvas.
    private(set) var firstFillsCanvas = false
    /// Offset of the first byte after the first picture.
    private(set) var firstEnd = 0
    /// Pictures, up to the first damage.
    private(set) var frameCount = 0
    /// Every block is there, up to the end mark.
    private(set) var isWhole = false

    /// Walks the blocks. Throws `.unreadable` when there is no picture.
    init(_ bytes: [UInt8]) throws(MediaError) {
        guard bytes.count >= 13 else { throw Self.ended("its header") }
        width = Self.word(bytes, 6)
        height = Self.word(bytes, 8)
        var position = 13 + Self.tableBytes(bytes[10])
        walk: while position < bytes.count {
            switch bytes[position] {
            case 0x3B:
                isWhole = true
                break walk
            case 0x21:
                guard let end = Self.endOfData(bytes, from: position + 2) else { break walk }
                position = end
            case 0x2C:
                guard position + 11 <= bytes.count else { break walk }
                let data = position + 11 + Self.tableBytes(bytes[position + 9])
                // A picture whose data are cut is left to the decoder, as it was.
                let end = Self.endOfData(bytes, from: data)
                if frameCount == 0 {
                    firstEnd = end ?? bytes.count
                    firstFillsCanvas =
                        Self.word(bytes, position + 1) == 0 && Self.word(bytes, position + 3) == 0
                        && Self.word(bytes, position + 5) == width
                        && Self.word(bytes, position + 7) == height
                }
                frameCount += 1
                guard let end else { break walk }
                position = end
            default:
                break walk
            }
        }
        guard frameCount > 0 else { throw Self.ended("a picture") }
    }

    /// The file up to the end of its first picture, and an end mark: what follows costs a decoder time, and
    /// its damage is none of a still picture's, as for Pillow.
    func firstPictureOnly(of bytes: [UInt8]) -> [UInt8] {
        bytes[..<firstEnd] + [0x3B]
    }

    /// Bytes of a colour table, from the flags that announce it.
    private static func tableBytes(_ flags: UInt8) -> Int {
        flags & 0x80 == 0 ? 0 : 3 << (Int(flags & 7) + 1)
    }

    /// The offset after the sub-blocks that start here; nil when they do not end.
    private static func endOfData(_ bytes: [UInt8], from start: Int) -> Int? {
        var position = start
        while position < bytes.count {
            let length = Int(bytes[position])
            position += 1 + length
            if length == 0 { return position }
        }
        return nil
    }

    private static func word(_ bytes: [UInt8], _ start: Int) -> Int {
        Int(bytes[start]) | Int(bytes[start + 1]) << 8
    }

    private static func ended(_ what: String) -> MediaError {
        .unreadable("GIF: expected \(what), got the end of the file or damage. It is truncated.")
    }
}
