/// The part of a response that is the answer, when a model thinks aloud first.
///
/// Models trained to reason write `<think>…</think>` and then `<answer>…</answer>`
/// (UnifiedReward-Think). What stands in the thinking is not the answer: it may weigh both sides,
/// or repeat the sentences it was offered.
package enum AnswerSection {
    /// What follows the thinking; within it the last `<answer>` block, when there is one. Nil when
    /// the thinking was cut off before it ended. Tags are matched whatever their case.
    package static func of(_ response: String) -> String? {
        let bytes = Array(response.utf8)
        let folded = bytes.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        var start = 0
        var end = bytes.count
        if let close = lastRange(of: "</think>", in: folded, from: 0) {
            start = close.upperBound
        } else if lastRange(of: "<think>", in: folded, from: 0) != nil {
            return nil
        }
        if let open = lastRange(of: "<answer>", in: folded, from: start) {
            start = open.upperBound
            if let close = firstRange(of: "</answer>", in: folded, from: start) {
                end = close.lowerBound
            }
        }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private static func lastRange(
        of tag: StaticString,
        in bytes: [UInt8],
        from start: Int
    ) -> Range<Int>? {
        let count = tag.utf8CodeUnitCount
        guard bytes.count - start >= count else { return nil }
        let positions = (start...bytes.count - count).reversed()
        return positions.first { matches(tag, bytes, at: $0) }.map { $0..<$0 + count }
    }

    private static func firstRange(
        of tag: StaticString,
        in bytes: [UInt8],
        from start: Int
    ) -> Range<Int>? {
        let count = tag.utf8CodeUnitCount
        guard bytes.count - start >= count else { return nil }
        let positions = start...bytes.count - count
        return positions.first { matches(tag, bytes, at: $0) }.map { $0..<$0 + count }
    }

    private static func matches(_ tag: StaticString, _ bytes: [UInt8], at position: Int) -> Bool {
        tag.withUTF8Buffer { bytes[position..<position + $0.count].elementsEqual($0) }
    }
}
