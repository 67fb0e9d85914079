import Glibc
import Synchronization

/// Ctrl-C and SIGTERM as a flag that a loop looks at.
enum Interruption {
    private static let requested = Atomic<Bool>(false)

    /// Whether one of the signals has arrived since `install`.
    static var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// Takes the signals over. The second one ends the process at once, in case the loop is waiting
    /// for the network.
    static func install() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in
            // Only an atomic and _exit: both may be used in a signal handler.
            if Interruption.requested.exchange(true, ordering: .relaxed) { _exit(130) }
        }
        sigaction(SIGINT, &action, nil)
        sigaction(SIGTERM, &action, nil)
        // A parent that starts processes from a libdispatch thread hands its blocked signals down.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// Sleeps, or returns early when a signal arrives.
    static func sleep(milliseconds: Int32) {
        poll(nil, 0, milliseconds)
    }
}
