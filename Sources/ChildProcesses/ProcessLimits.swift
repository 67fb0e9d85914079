/// What one child process may use. The defaults are those every case of a corpus of hostile files
/// stayed inside.
package struct ProcessLimits: Sendable, Equatable {
    /// Address space, in bytes.
    package var memoryBytes = 400 << 20
    /// Processor time, in seconds.
    package var processorSeconds = 10
    /// Open descriptors.
    package var descriptors = 64
    /// From start to end, in milliseconds; then the process group is killed.
    package var milliseconds = 10_000
    /// Bytes of standard output; one more ends the process.
    package var outputBytes = 1 << 20
    /// Bytes of standard error that are kept; the rest is read and dropped.
    package var errorBytes = 4096
    /// Whether it may open connections to others, and start threads. It can listen in no case.
    package var allowsNetwork = false

    /// The defaults.
    package init() {}
}
