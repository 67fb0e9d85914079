/// A field of a template's text that an item fills in.
package enum PromptField: String, Sendable, CaseIterable {
    /// What the pictures or clips were made from.
    case caption
    /// What was asked about the picture or clip.
    case question
    /// The answer presented first.
    case first
    /// The answer presented second.
    case second
    /// The one answer to be scored.
    case response
    /// What an edit was to do.
    case instruction

    /// The fields the text of such a template must have, and no others.
    static func required(
        task: JudgingTask,
        kind: QuestionKind,
        media: [PromptMedia]
    ) -> Set<PromptField> {
        // Asked about the edited picture alone, the model could not tell what was to be done.
        if task == .imageEditing { return media.contains(.source) ? [.instruction] : [] }
        if task.judgesMedia { return [.caption] }
        return kind != .pointScore ? [.question, .first, .second] : [.question, .response]
    }
}

/// A template's text, cut at its `{placeholders}` once, when the pack is read.
///
/// Filling joins the pieces: one pass, so nothing in a caption or an answer is ever looked at
/// again. A caption that says "{question}" or "<image>" stays those characters. The cuts are made
/// on bytes: on `Character`s, a combining mark after the brace would hide the placeholder.
package struct PromptText: Sendable, Equatable {
    /// What the text is made of.
    enum Piece: Sendable, Equatable {
        case literal(String)
        case field(PromptField)
    }

    /// The text as the pack has it.
    package let source: String
    /// The text cut up; no two literals are neighbours.
    let pieces: [Piece]

    /// Throws the name of the first placeholder that is no field. Only lower-case words between
    /// braces are placeholders; other braces (a template may show JSON) are text.
    init(_ source: String) throws(UnknownPlaceholder) {
        self.source = source
        var pieces: [Piece] = []
        let bytes = Array(source.utf8)
        var literalStart = 0
        var position = 0
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "{"),
                let end = placeholderEnd(bytes, from: position + 1)
            else {
                position += 1
                continue
            }
            let name = String(decoding: bytes[position + 1..<end], as: UTF8.self)
            guard let field = PromptField(rawValue: name) else {
                throw UnknownPlaceholder(name: name)
            }
            if literalStart < position {
                let text = String(decoding: bytes[literalStart..<position], as: UTF8.self)
                pieces.append(.literal(text))
            }
            pieces.append(.field(field))
            position = end + 1
            literalStart = position
        }
        if literalStart < bytes.count {
            pieces.append(.literal(String(decoding: bytes[literalStart...], as: UTF8.self)))
        }
        self.pieces = pieces
    }

    /// The fields that occur.
    var fields: Set<PromptField> {
        var found: Set<PromptField> = []
        for case .field(let field) in pieces { found.insert(field) }
        return found
    }

    /// The text with every field replaced. A field that is not given is left empty; the templates
    /// of a checked pack have exactly the fields their questions give.
    package func filled(with texts: [PromptField: String]) -> String {
        pieces.reduce(into: "") { text, piece in
            switch piece {
            case .literal(let literal): text += literal
            case .field(let field): text += texts[field] ?? ""
            }
        }
    }
}

/// A `{word}` in a template that no item can fill.
struct UnknownPlaceholder: Error {
    /// What stands between the braces.
    let name: String
}

/// Where the brace that closes a placeholder stands; nil when this is no placeholder.
private func placeholderEnd(_ bytes: [UInt8], from start: Int) -> Int? {
    var position = start
    while position < bytes.count {
        switch bytes[position] {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): position += 1
        case UInt8(ascii: "}"): return position > start ? position : nil
        default: return nil
        }
    }
    return nil
}
