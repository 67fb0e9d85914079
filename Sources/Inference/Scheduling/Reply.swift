import Synchronization

/// Where the answer to one request goes, once: whoever is first, the engine or a cancellation, decides.
final class Reply<Response: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Response, any Error>)
        /// Answered before anybody waited.
        case early(Result<Response, any Error>)
        case given
    }

    private let state = Mutex(State.open)

    /// Hands out the answer to the task that asked. Called once.
    func await(_ continuation: CheckedContinuation<Response, any Error>) {
        let early: Result<Response, any Error>? = state.withLock { state in
            if case .early(let result) = state {
                state = .given
                return result
            }
            state = .awaited(continuation)
            return nil
        }
        if let early { continuation.resume(with: early) }
    }

    /// Answers; does nothing when there was an answer before.
    func give(_ result: Result<Response, InferenceError>) {
        let result = result.mapError { $0 as any Error }
        let continuation: CheckedContinuation<Response, any Error>? = state.withLock { state in
            switch state {
            case .open:
                state = .early(result)
                return nil
            case .awaited(let continuation):
                state = .given
                return continuation
            case .early, .given:
                return nil
            }
        }
        continuation?.resume(with: result)
    }
}
