import FailPoints

/// Permission for a daemon to kill or freeze itself at named edges, for tests of the queue:
/// `REWARDD_FAIL_POINTS`.
///
/// Only the environment can give it, no option and no file, so that no configuration that was written
/// for production arms one. docs/chaos.md lists them.
package enum FailPointSetting {
    /// The environment variable, of the form of `FailPointList`.
    package static let environmentVariable = "REWARDD_FAIL_POINTS"

    /// What the environment arms: nothing unless it says so.
    static func triggers(
        environment: [String: String]
    ) throws(ConfigurationError) -> [FailPoint: FailPoints.Trigger] {
        guard let text = environment[environmentVariable], !text.isEmpty else { return [:] }
        do {
            return try FailPointList.parse(text)
        } catch {
            throw ConfigurationError(
                environmentVariable,
                expected: error.expected,
                got: "\"\(error.got)\""
            )
        }
    }
}
