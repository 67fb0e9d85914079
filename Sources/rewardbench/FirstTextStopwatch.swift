import Synchronization

/// Seconds from its creation to the first text of an answer.
final class FirstTextStopwatch: Sendable {
    private let start = ContinuousClock.now
    private let first = Mutex<Double?>(nil)

    /// Notes the time of the first call; later calls do nothing.
    func stop() {
        first.withLock { seconds in
            if seconds == nil { seconds = (ContinuousClock.now - start) / Duration.seconds(1) }
        }
    }

    /// Nil before any text.
    var seconds: Double? { first.withLock { $0 } }
}
