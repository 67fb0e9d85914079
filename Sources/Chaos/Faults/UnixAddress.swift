import Glibc

/// The address of a Unix socket, as the socket calls want it.
struct UnixAddress {
    private let path: String

    /// A path of at most 107 bytes; more is cut off.
    init(_ path: String) { self.path = path }

    /// Hands the address to `bind` or `connect`.
    func with(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
        }
    }
}
