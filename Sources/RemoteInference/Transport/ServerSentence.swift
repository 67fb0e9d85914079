import JSONReading

/// What a server says about an error, fit to be stored and logged: one line, cut, without control characters
/// and without the key.
enum ServerSentence {
    /// Most characters that are kept.
    static let longest = 300

    /// The sentence in the body of an error, where servers put it: `error.message`, `message`, `detail`, else
    /// the text as it is.
    static func of(_ body: [UInt8], hiding key: String?) -> String {
        // A sentence is not looked for in megabytes.
        let beginning = Array(body.prefix(1 << 16))
        guard body.count == beginning.count, let document = try? JSONReader.read(beginning) else {
            return cleaned(String(decoding: beginning.prefix(4096), as: UTF8.self), hiding: key)
        }
        let error = document["error"]
        let found =
            error?["message"]?.text ?? error?.text ?? document["message"]?.text
            ?? document["detail"]?.text ?? document.json
        return cleaned(found, hiding: key)
    }

    /// One line of at most ``longest`` characters.
    static func cleaned(_ text: String, hiding key: String?) -> String {
        var text = text
        if let key, key.utf8.count >= 4 {
            text = text.split(separator: key, omittingEmptySubsequences: false)
                .joined(separator: "[key]")
        }
        var line = ""
        var isSpace = true
        for scalar in text.unicodeScalars.prefix(8 * longest) {
            let isPlain =
                scalar.properties.generalCategory != .control
                && scalar.properties.generalCategory != .format
                && !scalar.properties.isWhitespace
            if isPlain { line.unicodeScalars.append(scalar) } else if !isSpace { line += " " }
            isSpace = !isPlain
        }
        while line.hasSuffix(" ") { line.removeLast() }
        if line.isEmpty { return "no reason" }
        return line.count > longest ? line.prefix(longest) + "…" : line
    }
}
