/// Permission to answer without a model, for tests of the queue: `REWARDD_SCRIPTED_ENGINE`.
///
/// Only the environment can give it, no option and no file, so that no configuration that was written
/// for production turns it on. It concerns the models whose directory is the word ``directory``; all
/// others are loaded as ever.
package struct ScriptedEngineSetting: Sendable, Equatable {
    /// The environment variable: a delay, or a delay, a comma and the path of a journal.
    package static let environmentVariable = "REWARDD_SCRIPTED_ENGINE"

    /// What a model's directory must be for its answers to be scripted.
    package static let directory = "scripted"

    /// How long one answer takes.
    package let delay: Duration
    /// A file to which every answer adds a line that names its question; nil for none.
    package let journal: String?

    /// Says how answers are given.
    package init(delay: Duration, journal: String? = nil) {
        self.delay = delay
        self.journal = journal
    }

    /// What the environment says; nil when it says nothing.
    ///
    /// Throws `ConfigurationError` for a value of another form.
    package init?(environment: [String: String]) throws(ConfigurationError) {
        guard let text = environment[Self.environmentVariable], !text.isEmpty else { return nil }
        let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        let number = parts[0].hasSuffix("ms") ? Int(parts[0].dropLast(2)) : nil
        guard let number, (0...60_000).contains(number), parts.count == 1 || !parts[1].isEmpty
        else {
            throw ConfigurationError(
                Self.environmentVariable,
                expected: "a delay up to 60000ms, such as 5ms, or 5ms,/path/of/a/journal",
                got: "\"\(text)\""
            )
        }
        delay = .milliseconds(number)
        journal = parts.count == 1 ? nil : String(parts[1])
    }
}
