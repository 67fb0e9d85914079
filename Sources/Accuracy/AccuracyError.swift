/// Why a model's accuracy could not be measured. `description` is one sentence.
package enum AccuracyError: Error, CustomStringConvertible, Sendable, Equatable {
    /// No model has this name; the files that were looked for.
    case modelNotFound(name: String, looked: [String])
    /// No drawn scene has an item of a task with so many candidates.
    case noItems(task: String, candidates: Int)
    /// An answer of the judging code has a shape that this module does not know.
    case unreadableResult(String)

    package var description: String {
        switch self {
        case .modelNotFound(let name, let looked):
            "model \"\(name)\": expected a directory with a config.json, found none of: "
                + looked.map { "\"\($0)\"" }.joined(separator: ", ")
                + ". Give a directory, or set REWARDD_MODELS to the folder that holds it."
        case .noItems(let task, let candidates):
            "candidates: expected a number that scenes of \(task) have, got \(candidates). "
                + "Questions about them have fewer answers; give fewer candidates."
        case .unreadableResult(let result):
            "result: expected the fields of a judged item, got \"\(result)\". Build rewardbench anew."
        }
    }
}
