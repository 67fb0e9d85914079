import CLibPQ
import Glibc

/// A descriptor that any thread can make readable, to end another thread's `waitForNotification`.
package final class WakeDescriptor: Sendable {
    /// For poll(2); -1, which poll ignores, when the process had no descriptor left.
    package let rawValue: Int32

    package init() {
        rawValue = rewardd_eventfd()
    }

    deinit {
        if rawValue >= 0 { close(rawValue) }
    }

    /// Makes the descriptor readable until `reset`.
    package func wake() {
        var one: UInt64 = 1
        _ = write(rawValue, &one, 8)
    }

    /// Makes the descriptor quiet again.
    package func reset() {
        var count: UInt64 = 0
        _ = read(rawValue, &count, 8)
    }
}
