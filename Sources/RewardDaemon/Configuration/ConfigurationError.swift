/// A setting that cannot be used: which one, where it came from, what was expected and what to do.
package struct ConfigurationError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The whole sentence.
    package let description: String

    /// Says that `subject` (a key, an environment variable or a file with a line) holds a bad value.
    package init(_ subject: String, expected: String, got: String, remedy: String = "") {
        let advice = remedy.isEmpty ? "" : " \(remedy)"
        description = "\(subject): expected \(expected), got \(got).\(advice)"
    }
}
