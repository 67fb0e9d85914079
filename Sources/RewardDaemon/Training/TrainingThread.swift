import Threading

/// Runs file operations of a training on a thread of their own: moving and removing gigabytes may
/// take a while, and the cooperative pool must not wait for disks.
enum TrainingThread {
    /// Runs a blocking body and returns what it does.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            _ = NamedThread(name: "training-files") {
                continuation.resume(with: Result { try body() })
            }
        }
    }
}
