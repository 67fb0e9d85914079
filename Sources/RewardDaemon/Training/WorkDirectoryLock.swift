import Glibc

/// Keeps a second training out of a work directory for as long as this lives: another process, or
/// a run of this one whose lease was lost and that has not stopped yet. The kernel lets go when the
/// process dies.
final class WorkDirectoryLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock of the file at `path`, which is made when it is missing. Nil when another
    /// holds it or the file cannot be made.
    static func take(path: String) -> WorkDirectoryLock? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        return WorkDirectoryLock(descriptor: descriptor)
    }

    private init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }
}
