import Glibc

/// Writes lines at or above a level to a sink, each with the metadata the logger carries. Passed
/// in, never global.
package struct Logger: Sendable {
    /// The least level that is written.
    package let level: LogLevel

    private let sink: any LogSink
    private let carried: [(key: String, value: LogValue)]

    /// A logger for standard error unless another sink is given.
    package init(
        level: LogLevel = .info,
        sink: any LogSink = StandardErrorSink(),
        metadata: [(String, LogValue)] = []
    ) {
        self.level = level
        self.sink = sink
        carried = metadata.map { (key: $0.0, value: $0.1) }
    }

    /// The same logger with more metadata on every line.
    package func with(_ metadata: KeyValuePairs<String, LogValue>) -> Logger {
        Logger(
            level: level,
            sink: sink,
            metadata: carried.map { ($0.key, $0.value) } + metadata.map { ($0.key, $0.value) }
        )
    }

    package func debug(
        _ message: StaticString,
        _ metadata: KeyValuePairs<String, LogValue> = [:]
    ) {
        log(.debug, message, metadata)
    }

    package func info(_ message: StaticString, _ metadata: KeyValuePairs<String, LogValue> = [:]) {
        log(.info, message, metadata)
    }

    package func notice(
        _ message: StaticString,
        _ metadata: KeyValuePairs<String, LogValue> = [:]
    ) {
        log(.notice, message, metadata)
    }

    package func warning(
        _ message: StaticString,
        _ metadata: KeyValuePairs<String, LogValue> = [:]
    ) {
        log(.warning, message, metadata)
    }

    package func error(_ message: StaticString, _ metadata: KeyValuePairs<String, LogValue> = [:]) {
        log(.error, message, metadata)
    }

    /// Writes one line; does nothing below the logger's level.
    package func log(
        _ level: LogLevel,
        _ message: StaticString,
        _ metadata: KeyValuePairs<String, LogValue> = [:]
    ) {
        guard level >= self.level else { return }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        sink.write(
            LogLine(
                time: Double(now.tv_sec) + Double(now.tv_nsec) / 1e9,
                level: level,
                message: message.description,
                metadata: carried + metadata.map { (key: $0.key, value: $0.value) }
            )
        )
    }
}
