import Synchronization

/// Cancels a task from inside its own work, whichever of the two is ready first.
final class TaskCanceller: Sendable {
    private struct State {
        var target: (@Sendable () -> Void)?
        var isCancelled = false
    }

    private let state = Mutex(State())

    /// How to cancel; called at once when ``cancel()`` came first.
    var target: (@Sendable () -> Void)? {
        get { state.withLock { $0.target } }
        set {
            let isCancelled = state.withLock { state in
                state.target = newValue
                return state.isCancelled
            }
            if isCancelled { newValue?() }
        }
    }

    func cancel() {
        let target = state.withLock { state in
            state.isCancelled = true
            return state.target
        }
        target?()
    }
}
