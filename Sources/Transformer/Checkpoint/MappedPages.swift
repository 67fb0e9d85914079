#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The memory behind mapped files, which is theirs: it counts as the process's until it is given back.
enum MappedPages {
    /// Lets the system take back the pages of bytes that have been read. Reading them again brings them back, from
    /// the system's cache or the file.
    static func release(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        let page = UInt(sysconf(Int32(_SC_PAGESIZE)))
        // Whole pages inside: a neighbour keeps those it shares.
        let start = (UInt(bitPattern: base) + page - 1) / page * page
        let end = (UInt(bitPattern: base) + UInt(bytes.count)) / page * page
        guard start < end else { return }
        // Such mappings are private and never written, so nothing can be lost.
        madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_DONTNEED)
    }
}
