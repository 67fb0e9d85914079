import Glibc

/// Puts a directory in the place of another one.
enum DirectoryExchange {
    private typealias RenameAt2 =
        @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32

    /// RENAME_EXCHANGE of linux/fs.h.
    private static let exchangeFlag: UInt32 = 2

    /// Exchanges two directories of one file system: each instant both names lead to a whole one.
    /// Falls back on two renames where kernel, C library or file system cannot exchange; then the
    /// second name leads nowhere for a moment.
    ///
    /// - Parameter spare: A name nobody uses, for the fallback.
    /// - Returns: 0, or the error number.
    static func swap(_ first: String, _ second: String, spare: String) -> Int32 {
        // Not in Swift's Glibc module; found by name instead of through a C target.
        if let symbol = dlsym(nil, "renameat2") {
            let renameAt2 = unsafeBitCast(symbol, to: RenameAt2.self)
            if renameAt2(AT_FDCWD, first, AT_FDCWD, second, exchangeFlag) == 0 { return 0 }
            guard [EINVAL, ENOSYS, EPERM].contains(errno) else { return errno }
        }
        guard rename(second, spare) == 0 else { return errno }
        guard rename(first, second) == 0 else {
            let failure = errno
            rename(spare, second)
            return failure
        }
        return rename(spare, first) == 0 ? 0 : errno
    }
}
