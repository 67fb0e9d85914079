/// What can be wrong with the things a caller hands to this module. Each carries its whole
/// sentence.
package enum RewardModelingError: CodedError, Equatable, CustomStringConvertible {
    /// The item's payload does not have the shape its job's kind and task ask for.
    case invalidItem(String)
    /// The job's options hold an unknown key or a value out of range.
    case invalidOptions(String)
    /// The prompt pack cannot be used as it stands.
    case invalidPromptPack(String)
    /// The prompt pack has no template for this task and kind of question.
    case missingTemplate(String)
    /// The engine's response does not fit the request: a fault of the engine.
    case engineFault(String)

    /// The name stored with an item that fails by it.
    package var code: String {
        switch self {
        case .invalidItem: "invalid_item"
        case .invalidOptions: "invalid_options"
        case .invalidPromptPack: "invalid_prompt_pack"
        case .missingTemplate: "missing_template"
        case .engineFault: "engine_fault"
        }
    }

    /// The whole sentence.
    package var message: String {
        switch self {
        case .invalidItem(let sentence), .invalidOptions(let sentence),
            .invalidPromptPack(let sentence), .missingTemplate(let sentence),
            .engineFault(let sentence):
            sentence
        }
    }

    /// The sentence, for logs.
    package var description: String { message }
}
