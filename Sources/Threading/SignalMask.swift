package import Glibc

/// The signal sets that threads of this package use.
package enum SignalMask {
    /// Every signal except those that the processor or the C library raises for a fault of the
    /// running code: blocking those would only hide the crash report.
    package static func allButFaults() -> sigset_t {
        var set = sigset_t()
        sigfillset(&set)
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS] {
            sigdelset(&set, fault)
        }
        return set
    }
}
