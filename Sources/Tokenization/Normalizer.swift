@_spi(_Unicode) import Swift

/// Unicode normalisation form C, the only normaliser of Qwen2 tokenizers.
///
/// By the standard library's own composition, which is not public API yet (a test pins it).
/// Foundation's `precomposedStringWithCanonicalMapping` is wrong on Linux (6.3.1): it leaves
/// U+AC00 U+11A8 uncomposed, and composes U+E0041 U+0301 as if the first were 'A'.
enum Normalizer {
    /// `text` composed; the same text, untouched, when every scalar is below U+0300: none of those
    /// combines or is changed by composition (UAX #15, quick check).
    static func composed(_ text: String) -> String {
        // U+0300 is CC 80 in UTF-8, and every later scalar starts with CC or more.
        guard text.utf8.contains(where: { $0 >= 0xCC }) else { return text }
        var composed = String.UnicodeScalarView()
        for scalar in text._nfc { composed.append(scalar) }
        return String(composed)
    }
}
