import ArgumentParsing

/// Why a command ends without doing what was asked: a sentence for people, a number for scripts.
struct CommandFailure: Error, Equatable, Sendable {
    /// What the process exits with.
    let exitCode: ExitCode
    /// Sentences: what failed, expected and got, what to do. Without the prefix `Error: `.
    let message: String

    init(_ exitCode: ExitCode, _ message: String) {
        self.exitCode = exitCode
        self.message = message
    }
}
