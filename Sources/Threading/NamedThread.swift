import CPlatform
import Glibc
import Synchronization

/// One POSIX thread with a name that `top -H`, `perf` and gdb show. It starts at once, has a stack
/// of 8 MiB, and blocks every signal that is sent from outside: signals belong to the main thread,
/// which waits for them.
package final class NamedThread: Sendable {
    /// The whole name; the kernel keeps its first 15 bytes.
    package let name: String

    private let identity: ThreadIdentity
    private let life: ThreadLife
    private let isJoined = Mutex(false)

    /// Starts the thread. A process that may not create another thread stops here with a sentence:
    /// nothing that needs the thread could go on.
    package init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        life = ThreadLife()
        let start = Unmanaged.passRetained(ThreadStart(name: name, life: life, body: body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, 8 << 20)
        defer { pthread_attr_destroy(&attributes) }

        // The mask is inherited: setting it here leaves no instant in which the new thread could
        // take a signal.
        var masked = SignalMask.allButFaults()
        var previous = sigset_t()
        pthread_sigmask(SIG_SETMASK, &masked, &previous)
        var thread = pthread_t()
        let status = pthread_create(&thread, &attributes, runThread, start.toOpaque())
        pthread_sigmask(SIG_SETMASK, &previous, nil)

        guard status == 0 else {
            start.release()
            preconditionFailure(
                "thread '\(name)': cannot be created: \(String(cString: strerror(status))). "
                    + "Raise the limit on threads (ulimit -u, TasksMax)."
            )
        }
        identity = ThreadIdentity(thread: thread)
    }

    deinit {
        if !isJoined.withLock({ $0 }) { pthread_detach(identity.thread) }
    }

    /// True on the thread itself.
    package var isCurrent: Bool {
        // The C library gives the identifier of a joined thread to a new one.
        !life.hasEnded && pthread_equal(identity.thread, pthread_self()) != 0
    }

    /// Waits until the body has returned. Later calls return at once; a thread must not join
    /// itself.
    package func join() {
        precondition(!isCurrent, "thread '\(name)' joins itself")
        isJoined.withLock { isJoined in
            guard !isJoined else { return }
            pthread_join(identity.thread, nil)
            isJoined = true
        }
    }
}

/// A pthread_t is an integer on Linux; the wrapper states that handing it to another thread is
/// allowed.
// @unchecked Sendable because POSIX lets every thread of the process use the identifier.
private struct ThreadIdentity: @unchecked Sendable {
    let thread: pthread_t
}

/// Whether a thread's body has returned.
private final class ThreadLife: Sendable {
    private let ended = Atomic(false)

    var hasEnded: Bool { ended.load(ordering: .acquiring) }

    func end() { ended.store(true, ordering: .releasing) }
}

/// What a new thread needs, carried through the C call as one retained object.
private final class ThreadStart: Sendable {
    let name: String
    let life: ThreadLife
    let body: @Sendable () -> Void

    init(name: String, life: ThreadLife, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.life = life
        self.body = body
    }
}

/// The C entry point: takes the start object over and runs its body.
private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    rewardd_name_current_thread(start.name)
    start.body()
    start.life.end()
    return nil
}
