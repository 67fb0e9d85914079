/// Why a checkpoint cannot be loaded. `description` is one sentence that names the file, the tensor
/// or the JSON path in it, what was expected, what was found, and what to do.
package enum CheckpointError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The file cannot be opened, mapped or read.
    case unreadableFile(path: String, reason: String)
    /// The file breaks its format; `reason` is a clause with what was expected and found.
    case malformedFile(file: String, reason: String)
    /// The header describes more bytes than the file has.
    case truncatedFile(file: String, promised: Int, actual: Int)
    /// None of the names under which checkpoints store a tensor is there.
    case missingTensor(place: String, canonicalName: String, lookedFor: [String])
    /// A tensor has another shape than config.json implies.
    case shapeMismatch(file: String, tensor: String, expected: [Int], got: [Int])
    /// A tensor is stored in a number type that is not computed with here.
    case unsupportedType(file: String, tensor: String, got: String)
    /// A JSON field is missing, has the wrong type or is out of range.
    case invalidField(file: String, path: String, expected: String, got: String)
    /// A JSON field is legal but asks for something that is not implemented.
    case unsupported(file: String, path: String, expected: String, got: String)

    package var description: String {
        switch self {
        case .unreadableFile(let path, let reason):
            "\(path): \(reason). Is the checkpoint directory complete?"
        case .malformedFile(let file, let reason):
            "\(file): \(reason). Copy the file again."
        case .truncatedFile(let file, let promised, let actual):
            "\(file): truncated: header promises \(promised) bytes, file has \(actual). "
                + "Copy the file again."
        case .missingTensor(let place, let canonicalName, let lookedFor):
            "\(place): tensor '\(canonicalName)': expected one of "
                + "\(lookedFor.map { "'\($0)'" }.joined(separator: ", ")), got none of them. "
                + "Is config.json from another checkpoint?"
        case .shapeMismatch(let file, let tensor, let expected, let got):
            "\(file): tensor '\(shown(tensor))': expected shape \(expected), got \(got). "
                + "Is config.json from another checkpoint?"
        case .unsupportedType(let file, let tensor, let got):
            "\(file): tensor '\(shown(tensor))': expected F32, BF16 or F16, got '\(shown(got))'. "
                + "Convert the checkpoint to bf16."
        case .invalidField(let file, let path, let expected, let got):
            "\(file): \(path): expected \(expected), got \(got). Is the file complete and of this "
                + "checkpoint?"
        case .unsupported(let file, let path, let expected, let got):
            "\(file): \(path): expected \(expected), got \(got). Supported models: "
                + "LLaVA-OneVision with Qwen2, as 'llava_onevision' or as original 'llava_qwen'; "
                + "Qwen2.5-VL; Qwen3-VL without experts."
        }
    }
}

/// Text out of a file for an error sentence: on one line, at most 120 characters.
func shown(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars.prefix(120) {
        let isPlain = scalar.value >= 0x20 && scalar.value != 0x7F
        shown.unicodeScalars.append(isPlain ? scalar : "\u{FFFD}")
    }
    return text.unicodeScalars.count > 120 ? shown + "…" : shown
}
