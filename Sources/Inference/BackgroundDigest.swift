import Hashing
import Synchronization
import Threading
import Transformer

/// The digest of a checkpoint's files, computed on a thread of its own while the weights are packed.
final class BackgroundDigest: Sendable {
    /// Written by the thread before it ends, read after it was joined.
    private final class Box: Sendable {
        let result = Mutex<Result<Digest, InferenceError>?>(nil)
    }

    private let box = Box()
    private let thread: NamedThread

    init(of checkpoint: Checkpoint) {
        let box = box
        thread = NamedThread(name: "model-digest") {
            let result: Result<Digest, InferenceError>
            do throws(CheckpointError) {
                result = .success(try checkpoint.digest())
            } catch {
                result = .failure(.modelUnusable("\(error)"))
            }
            box.result.withLock { $0 = result }
        }
    }

    /// The digest; waits for it.
    ///
    /// - Throws: ``InferenceError/modelUnusable(_:)`` when a file cannot be read.
    func wait() throws(InferenceError) -> Digest {
        thread.join()
        guard let result = box.result.withLock({ $0 }) else {
            preconditionFailure("the thread has set the result before it ended")
        }
        return try result.get()
    }
}
