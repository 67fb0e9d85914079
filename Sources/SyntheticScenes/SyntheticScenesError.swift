/// Why a dataset could not be written. `description` is one sentence naming the file.
package enum SyntheticScenesError: Error, CustomStringConvertible, Sendable, Equatable {
    /// A directory or file cannot be made or written.
    case unwritable(path: String, reason: String)
    /// There is a dataset already.
    case alreadyWritten(path: String)

    package var description: String {
        switch self {
        case .unwritable(let path, let reason):
            "\"\(path)\": expected a place to write to, got: \(reason). Choose another directory."
        case .alreadyWritten(let path):
            "\"\(path)\": expected no dataset there, got one. Choose an empty directory."
        }
    }
}
