import Glibc

/// Waits on a connection's socket and on a descriptor by which another thread ends the wait.
package enum SocketPoll {
    package enum Outcome: Sendable, Equatable {
        case socketReadable
        case woken
        case timedOut
    }

    /// Blocks until one of the two is readable (or in error) or the time has passed; a signal does
    /// not end the wait.
    package static func wait(socket: Int32, wakeDescriptor: Int32?, timeout: Duration) -> Outcome {
        let deadline = ContinuousClock.now + timeout
        while true {
            // poll(2) ignores an entry whose descriptor is negative.
            var entries = [
                pollfd(fd: socket, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeDescriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&entries, 2, milliseconds(until: deadline))
            if ready > 0 { return entries[1].revents != 0 ? .woken : .socketReadable }
            if ready == 0 || errno != EINTR { return .timedOut }
        }
    }

    /// Blocks until the socket takes more bytes, or has some to read, or is in error; false when the time has
    /// passed.
    package static func waitForRoom(socket: Int32, timeout: Duration) -> Bool {
        let deadline = ContinuousClock.now + timeout
        while true {
            var entry = pollfd(fd: socket, events: Int16(POLLIN | POLLOUT), revents: 0)
            let ready = poll(&entry, 1, milliseconds(until: deadline))
            if ready > 0 { return true }
            if ready == 0 || errno != EINTR { return false }
        }
    }

    /// Rounded up, so that the wait does not end early and spin.
    private static func milliseconds(until deadline: ContinuousClock.Instant) -> Int32 {
        let parts = (deadline - ContinuousClock.now).components
        guard parts.seconds >= 0, parts.attoseconds >= 0 else { return 0 }
        let rest = (parts.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return Int32(clamping: min(parts.seconds, 1_000_000) * 1000 + rest)
    }
}
