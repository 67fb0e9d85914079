#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Checkpoint {
    /// Lets the system take back the pages of every tensor.
    ///
    /// Called once the weights are packed: until then the process holds each of them twice. What is read
    /// later (rows of the embedding table) comes back from the file.
    func releasePages() {
        let page = UInt(sysconf(Int32(_SC_PAGESIZE)))
        for name in tensorNames {
            guard let bytes = tensor(name)?.bytes, let base = bytes.baseAddress else { continue }
            // Whole pages inside the tensor: a neighbour keeps those it shares.
            let start = (UInt(bitPattern: base) + page - 1) / page * page
            let end = (UInt(bitPattern: base) + UInt(bytes.count)) / page * page
            guard start < end else { continue }
            // The mapping is private and never written, so nothing can be lost.
            madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_DONTNEED)
        }
    }
}
