/// What one child process may use. The defaults are those every case of a corpus of hostile files
/// stayed inside.
struct ProcessLimits: Sendable, Equatable {
    /// Address space, in bytes.
    var memoryBytes = 400 << 20
    /// Processor time, in seconds.
    var processorSeconds = 10
    /// Open descriptors.
    var descriptors = 64
    /// From start to end, in milliseconds; then the process group is killed.
    var milliseconds = 10_000
    /// Bytes of standard output; one more ends the process.
    var outputBytes = 1 << 20
    /// Bytes of standard error that are kept; the rest is read and dropped.
    var errorBytes = 4096
}
