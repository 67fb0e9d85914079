import Glibc
import Synchronization

/// Whether Ctrl-C, SIGTERM or SIGHUP asked this process to stop: a run looks between any two steps, and
/// then cleans up.
package enum InterruptFlag {
    private static let flag = Atomic<Bool>(false)

    /// Catches the signals from now on.
    package static func install() {
        // The first access makes the flag; a handler may not.
        flag.store(false, ordering: .sequentiallyConsistent)
        var caught = sigset_t()
        sigemptyset(&caught)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            sigaddset(&caught, number)
            signal(number) { _ in InterruptFlag.flag.store(true, ordering: .sequentiallyConsistent)
            }
        }
        // Whoever started this program may have left them blocked.
        pthread_sigmask(SIG_UNBLOCK, &caught, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Whether one came.
    package static var isRaised: Bool { flag.load(ordering: .sequentiallyConsistent) }
}
