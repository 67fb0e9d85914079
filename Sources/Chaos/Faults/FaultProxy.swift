import Glibc
import Postgres
import Staging
import Synchronization
import Threading

/// Stands between a daemon and its server, on Unix sockets, and does what networks do at the worst moment:
/// loses the answer to a statement that the server has carried out, or falls silent in one direction or both.
///
/// One thread of its own forwards for all connections. Silence holds bytes back instead of dropping them, as
/// TCP does with what it sends again: when it ends, they arrive.
package final class FaultProxy: Sendable {
    /// Which way nothing gets through.
    package enum Silence: CaseIterable, Sendable {
        /// Statements do not reach the server.
        case toServer
        /// Answers do not reach the daemon.
        case toClient
        case both
    }

    private struct State {
        /// A statement with this text is carried out but not answered, so many times.
        var marked: [UInt8] = []
        var cutsLeft = 0
        var cuts = 0
        var silence: Silence?
        var isStopped = false
    }

    /// The directory of its socket, for the `host` of a URL.
    package let directory: String

    private let name: String
    private let target: String
    private let listening: Int32
    private let wake = WakeDescriptor()
    private let state = Mutex(State())
    private let thread = Mutex<NamedThread?>(nil)

    /// Opens a socket under `directory`, which must exist, and forwards to a server's socket, such as
    /// `/run/postgresql/.s.PGSQL.5432`; the new socket has the same name.
    package init(to target: String, directory: String) throws {
        self.target = target
        self.directory = directory
        name = target.split(separator: "/").last.map(String.init) ?? ".s.PGSQL.5432"
        let listening = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        self.listening = listening
        let status = UnixAddress(directory + "/" + name).with { bind(listening, $0, $1) }
        guard status == 0, listen(listening, 64) == 0 else {
            let reason = String(cString: strerror(errno))
            close(listening)
            throw ChildProcess.Failure(description: "\(directory)/\(name): \(reason)")
        }
        _ = fcntl(listening, F_SETFL, O_NONBLOCK)
        // A daemon may run as another user.
        chmod(directory + "/" + name, 0o777)
        let thread = NamedThread(name: "proxy") { self.forwardUntilStopped() }
        self.thread.withLock { $0 = thread }
    }

    /// Has the next `times` statements that contain the text carried out and not answered: their connections
    /// end as soon as the server is done with them.
    package func cut(after text: String, times: Int = 1) {
        state.withLock {
            $0.marked = Array(text.utf8)
            $0.cutsLeft = times
        }
    }

    /// Whether there are answers left to lose.
    package var isArmed: Bool { state.withLock { $0.cutsLeft > 0 } }

    /// How many connections have been cut.
    package var cuts: Int { state.withLock { $0.cuts } }

    /// Falls silent until ``heal()``.
    package func silence(_ way: Silence) {
        state.withLock { $0.silence = way }
        wake.wake()
    }

    /// Lets everything through again, what was held back first.
    package func heal() {
        state.withLock { $0.silence = nil }
        wake.wake()
    }

    /// Cuts every connection, ends the thread and removes the socket.
    package func stop() {
        state.withLock { $0.isStopped = true }
        wake.wake()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }

    // MARK: - The thread

    private func forwardUntilStopped() {
        var pairs: [ProxiedConnection] = []
        defer {
            for pair in pairs { pair.close() }
            close(listening)
            unlink(directory + "/" + name)
        }
        while true {
            let now = state.withLock { $0 }
            if now.isStopped { return }
            var entries = [
                pollfd(fd: wake.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listening, events: Int16(POLLIN), revents: 0),
            ]
            for index in pairs.indices { entries += pairs[index].entries(silence: now.silence) }
            guard poll(&entries, nfds_t(entries.count), -1) >= 0 || errno == EINTR else { return }
            if entries[0].revents != 0 { wake.reset() }
            // Silence holds from the moment it is asked for, also for what came while nobody waited for it.
            let silence = state.withLock { $0.silence }
            for index in pairs.indices {
                let place = 2 + 2 * index
                pairs[index].serve(
                    silence: silence,
                    client: entries[place].revents,
                    server: entries[place + 1].revents,
                    takeMark: { self.takeMark(in: $0) }
                )
            }
            for pair in pairs where pair.isOver { pair.close() }
            pairs.removeAll { $0.isOver }
            if entries[1].revents != 0 { pairs += accepted() }
        }
    }

    /// New clients, each with a connection to the server; where there is no server the client is let go.
    private func accepted() -> [ProxiedConnection] {
        var new: [ProxiedConnection] = []
        while true {
            let client = accept(listening, nil, nil)
            guard client >= 0 else { return new }
            let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            guard UnixAddress(target).with({ connect(server, $0, $1) }) == 0 else {
                close(client)
                close(server)
                continue
            }
            for descriptor in [client, server] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
            new.append(ProxiedConnection(client: client, server: server))
        }
    }

    /// Whether these bytes from a client hold a statement whose answer is to be lost.
    private func takeMark(in bytes: ArraySlice<UInt8>) -> Bool {
        state.withLock { state in
            guard state.cutsLeft > 0, bytes.contains(state.marked) else { return false }
            state.cutsLeft -= 1
            state.cuts += 1
            return true
        }
    }
}
