/// Why a tokenizer or a chat template could not be read, or a prompt could not be encoded.
/// `description` is one sentence naming the file, the place in it and what to do.
package enum TokenizationError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The file cannot be opened or read at all.
    case unreadableFile(path: String, reason: String)
    /// The file is not JSON; `offset` counts bytes from its start.
    case malformedJSON(file: String, offset: Int, reason: String)
    /// A field has the wrong type or a value that can never be right.
    case invalidField(file: String, path: String, expected: String, got: String)
    /// A field is legal but describes a tokenizer this module does not implement.
    case unsupported(file: String, path: String, expected: String, got: String)
    /// The checkpoint's chat template is missing or is none of the known forms.
    case unsupportedChatTemplate(file: String, reason: String)
    /// A prompt names a control token which the tokenizer does not have.
    case unknownControlToken(name: String, known: [String])

    package var description: String {
        switch self {
        case .unreadableFile(let path, let reason):
            "\(path): \(reason). Is the checkpoint directory complete?"
        case .malformedJSON(let file, let offset, let reason):
            "\(file): not valid JSON at byte \(offset): \(reason). Copy the file again."
        case .invalidField(let file, let path, let expected, let got):
            "\(file): \(path): expected \(expected), got \(got). Is the file from the checkpoint's "
                + "own tokenizer?"
        case .unsupported(let file, let path, let expected, let got):
            "\(file): \(path): expected \(expected), got \(got). Only the Qwen2 byte-level "
                + "tokenizer is supported."
        case .unsupportedChatTemplate(let file, let reason):
            "\(file): \(reason). Supported chat templates: llava-hf (images, then text after a "
                + "newline, '<|im_start|>role ' or '<|im_start|>role\\n'), those of Qwen2.5-VL "
                + "and Qwen3-VL, and the original LLaVA-OneVision conversation 'qwen_1_5'."
        case .unknownControlToken(let name, let known):
            "control token \(quoted(name)): expected one of "
                + "\(known.prefix(8).map(quoted).joined(separator: ", ")), got \(quoted(name)). "
                + "Is tokenizer.json from this checkpoint?"
        }
    }
}

/// User text for an error sentence: in single quotes, on one line, at most 60 characters.
func quoted(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars.prefix(60) {
        let isPlain = scalar.value >= 0x20 && scalar.value != 0x7F
        shown.unicodeScalars.append(isPlain ? scalar : "\u{FFFD}")
    }
    return text.unicodeScalars.count > 60 ? "'\(shown)…'" : "'\(shown)'"
}
