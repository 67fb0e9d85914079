@_spi(_Unicode) import Swift

/// Unicode normalisation form C, the only normaliser of Qwen2 tokenizers.
///
/// By the standard library's own composition, which is not public API yet (a test pins it).
/// Foundation's `precomposedStringWithCanonicalMapping` is wrong on Linux (6.3.1): it leaves
/// U+AC00 U+11A8 uncomposed, and composes U+E0041 U+0301 as if the first were 'A'.
enum Normalizer {
    /// The standard library orders combining marks by insertion, which is quadratic: 200,000 marks
    /// took 11 s. Longer runs than this are brought into order beforehand.
    private static let longestUnorderedRun = 64

    /// `text` composed; the same text, untouched, when every scalar is below U+0300: none of those
    /// combines or is changed by composition (UAX #15, quick check).
    static func composed(_ text: String) -> String {
        // U+0300 is CC 80 in UTF-8, and every later scalar starts with CC or more.
        guard text.utf8.contains(where: { $0 >= 0xCC }) else { return text }
        let ordered = hasLongRun(text) ? orderingMarks(of: text) : text
        var composed = String.UnicodeScalarView()
        for scalar in ordered._nfc { composed.append(scalar) }
        return String(composed)
    }

    private static func hasLongRun(_ text: String) -> Bool {
        var length = 0
        for scalar in text.unicodeScalars {
            length = isMark(scalar) ? length + 1 : 0
            if length > longestUnorderedRun { return true }
        }
        return false
    }

    /// The text with every run of combining marks sorted by combining class, marks of one class
    /// staying in order: canonically equivalent (Unicode 3.11, D109), so it composes to the same.
    private static func orderingMarks(of text: String) -> String {
        var ordered = String.UnicodeScalarView()
        var run: [(order: UInt64, scalar: Unicode.Scalar)] = []
        func flush() {
            run.sort { $0.order < $1.order }
            ordered.append(contentsOf: run.lazy.map(\.scalar))
            run.removeAll(keepingCapacity: true)
        }
        for scalar in text.unicodeScalars {
            guard isMark(scalar) else {
                flush()
                ordered.append(scalar)
                continue
            }
            for part in parts(of: scalar) {
                let combiningClass = UInt64(part.properties.canonicalCombiningClass.rawValue)
                run.append((combiningClass << 32 | UInt64(run.count), part))
            }
        }
        flush()
        return String(ordered)
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x300
            && (scalar.properties.canonicalCombiningClass != .notReordered
                || parts(of: scalar).count > 1)
    }

    /// The three Tibetan vowel signs that are no marks by their class but decompose to marks.
    private static func parts(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        switch scalar {
        case "\u{F73}": ["\u{F71}", "\u{F72}"]
        case "\u{F75}": ["\u{F71}", "\u{F74}"]
        case "\u{F81}": ["\u{F71}", "\u{F80}"]
        default: [scalar]
        }
    }
}
