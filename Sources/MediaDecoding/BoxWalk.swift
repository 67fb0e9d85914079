/// Whether the boxes of an MP4 or QuickTime file are all there (ISO 14496-12, 4.2). A file whose index comes
/// first can be cut at the end of a frame, and then nothing else shows it.
enum BoxWalk {
    /// Bytes that the last box lacks; 0 when it lacks none.
    static func missingBytes(_ bytes: [UInt8]) -> Int {
        var position = 0
        while position + 8 <= bytes.count {
            var size = number(bytes, position, count: 4)
            if size == 0 { return 0 }  // to the end of the file
            if size == 1 {
                guard position + 16 <= bytes.count, bytes[position + 8] < 0x40 else { return 0 }
                size = number(bytes, position + 8, count: 8)
            }
            guard size >= 8 else { return 0 }  // not a box: something that was added
            let left = bytes.count - position
            if size > left { return size - left }
            position += size
        }
        return 0
    }

    private static func number(_ bytes: [UInt8], _ start: Int, count: Int) -> Int {
        bytes[start..<start + count].reduce(0) { $0 << 8 | Int($1) }
    }
}
