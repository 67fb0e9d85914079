import Glibc

/// The reading end of a child's pipe and what came out of it, up to a limit.
struct CappedPipe {
    /// −1 once closed.
    private(set) var descriptor: Int32
    private let limit: Int
    private(set) var bytes: [UInt8] = []
    /// More than the limit was written; the surplus is not kept.
    private(set) var isOver = false

    /// Takes over the descriptor, which is non-blocking.
    init(descriptor: Int32, limit: Int) {
        self.descriptor = descriptor
        self.limit = limit
    }

    /// Reads what is there, without waiting; closes at the end. `scratch` is overwritten.
    ///
    /// Stops at the limit when `stopsAtLimit`, so that a flood cannot keep the caller here.
    mutating func drain(stopsAtLimit: Bool, scratch: UnsafeMutableRawBufferPointer) {
        // A writer as fast as this loop is left for the caller's clock after some rounds.
        for _ in 0..<64 where descriptor >= 0 {
            let count = read(descriptor, scratch.baseAddress, scratch.count)
            if count > 0 {
                let room = limit - bytes.count
                bytes.append(
                    contentsOf: UnsafeRawBufferPointer(rebasing: scratch[..<min(count, room)])
                )
                if count > room { isOver = true }
                if isOver, stopsAtLimit { return }
            } else if count == 0 {
                close()
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                close()
            }
        }
    }

    mutating func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }
}
