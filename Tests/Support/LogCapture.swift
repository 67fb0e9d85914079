package import Logging
import Synchronization

/// A sink that keeps the lines, for tests that expect some.
package final class LogCapture: LogSink {
    /// No line with the expected message came in time.
    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    private struct State {
        var lines: [LogLine] = []
        var listeners: [AsyncStream<LogLine>.Continuation] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// A logger that writes here at every level.
    package var logger: Logger { Logger(level: .debug, sink: self) }

    /// The lines so far.
    package var lines: [LogLine] { state.withLock { $0.lines } }

    /// The messages so far, in order.
    package var messages: [String] { lines.map(\.message) }

    package func write(_ line: LogLine) {
        state.withLock { state in
            state.lines.append(line)
            for listener in state.listeners { listener.yield(line) }
        }
    }

    /// The first line with this message, past or to come.
    package func line(_ message: String, within limit: Duration = .seconds(10)) async throws
        -> LogLine
    {
        let stream = AsyncStream<LogLine> { continuation in
            state.withLock { state in
                for line in state.lines { continuation.yield(line) }
                state.listeners.append(continuation)
            }
        }
        return try await withThrowingTaskGroup(of: LogLine?.self) { group in
            group.addTask { await stream.first { $0.message == message } }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let line = try await group.next() ?? nil else {
                throw Missing(
                    description:
                        "expected a line \"\(message)\" within \(limit), got \(self.messages)"
                )
            }
            return line
        }
    }
}
