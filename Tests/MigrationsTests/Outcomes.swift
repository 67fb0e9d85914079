import Synchronization

/// What the threads of a test came back with.
final class Outcomes<Value: Sendable>: Sendable {
    private let storage = Mutex<[Result<Value, any Error>]>([])

    var all: [Result<Value, any Error>] { storage.withLock { $0 } }

    func add(_ outcome: Result<Value, any Error>) {
        storage.withLock { $0.append(outcome) }
    }
}
