import Glibc
import Logging
import Synchronization
import Testing

@Suite("Logger")
struct LoggerTests {
    /// Keeps lines; TestSupport's sink belongs to the modules above this one.
    private final class Lines: LogSink {
        let lines = Mutex<[LogLine]>([])
        func write(_ line: LogLine) { lines.withLock { $0.append(line) } }
    }

    @Test("writes at its level and above", arguments: LogLevel.allCases)
    func levels(_ level: LogLevel) {
        let sink = Lines()
        let logger = Logger(level: level, sink: sink)
        logger.debug("m")
        logger.info("m")
        logger.notice("m")
        logger.warning("m")
        logger.error("m")
        let written = sink.lines.withLock { $0.map(\.level) }
        #expect(written == LogLevel.allCases.filter { $0 >= level })
    }

    @Test("carries metadata to every line, before that of the call")
    func metadata() {
        let sink = Lines()
        let count = 3
        let logger = Logger(sink: sink, metadata: [("daemon.id", 1)]).with(["job.id": 2])
        logger.info("job completed", ["items": LogValue(count), "name": "n-\(count)"])
        let line = sink.lines.withLock { $0[0] }
        #expect(line.metadata.map(\.key) == ["daemon.id", "job.id", "items", "name"])
        #expect(line["items"] == .int(3) && line["name"] == .string("n-3"))
        #expect(line.message == "job completed")
    }

    @Test("an error's description becomes the value")
    func errors() {
        struct Failure: Error, CustomStringConvertible { let description = "no luck" }
        #expect(LogValue(Failure()) == .string("no luck"))
    }
}
