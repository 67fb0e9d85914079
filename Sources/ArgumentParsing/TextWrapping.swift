/// Breaks prose into lines between words.
package enum TextWrapping {
    /// `text` with lines of at most `width` characters; a longer word stands alone and sticks out.
    ///
    /// Line breaks in `text` are kept, and a line that starts with a space is left as it is, so that
    /// small tables survive. Lines after the first of each paragraph are indented by
    /// `indentAfterFirst`.
    package static func wrap(_ text: String, width: Int, indentAfterFirst: Int = 0) -> String {
        let indent = String(repeating: " ", count: indentAfterFirst)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { paragraph in
            if paragraph.hasPrefix(" ") { return String(paragraph) }
            var lines: [String] = []
            var line = ""
            for word in paragraph.split(separator: " ", omittingEmptySubsequences: true) {
                if line.isEmpty {
                    line = lines.isEmpty ? String(word) : indent + word
                } else if line.count + 1 + word.count <= width {
                    line += " " + word
                } else {
                    lines.append(line)
                    line = indent + word
                }
            }
            lines.append(line)
            return lines.joined(separator: "\n")
        }.joined(separator: "\n")
    }
}
