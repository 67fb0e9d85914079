import Glibc
import Synchronization
import Threading

/// Delivers SIGTERM, SIGINT and SIGHUP as values, from a thread that waits for them.
///
/// The signals are blocked in the main thread before any other thread starts, so that none is lost in
/// the first instants (a dispatch source loses signals until its registration settles).
package enum SignalThread {
    /// The signals the daemon acts on.
    private static let handled: [Int32] = [SIGTERM, SIGINT, SIGHUP]

    /// Blocks the handled signals in the calling thread and in every thread it will start, and
    /// ignores SIGPIPE. Call first in `main`.
    package static func block() {
        var signals = handledSet()
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// The signals as they arrive, until the process ends.
    package static func signals() -> AsyncStream<Int32> {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        // The thread ends with the process: sigwait has no other way to return.
        _ = NamedThread(name: "signals") {
            while true {
                var signals = handledSet()
                var number: Int32 = 0
                if sigwait(&signals, &number) == 0 { continuation.yield(number) }
            }
        }
        return stream
    }

    private static func handledSet() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in handled { sigaddset(&set, number) }
        return set
    }
}
