import Glibc
import Synchronization

/// Work for the end of the process, last registered first.
enum AtExit {
    private static let actions = Mutex<[@Sendable () -> Void]>([])
    private static let isRegistered: Bool = atexit { AtExit.runAll() } == 0

    static func run(_ action: @escaping @Sendable () -> Void) {
        _ = isRegistered
        actions.withLock { $0.append(action) }
    }

    private static func runAll() {
        let pending = actions.withLock { actions in
            let pending = actions
            actions = []
            return pending
        }
        for action in pending.reversed() { action() }
    }
}
