/// The version of this tool.
enum ToolVersion {
    /// Major, minor, patch; the daemon of the same release has the same.
    static let current = "0.1.0"
}
