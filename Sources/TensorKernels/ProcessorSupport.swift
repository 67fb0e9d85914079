internal import CPlatform

/// Whether this processor can run the instructions the package is compiled for, and those asked for.
package enum ProcessorSupport {
    /// Nil when this processor can run the build and the kernels the environment asks for, else the
    /// sentence to refuse with.
    ///
    /// The executables call it before anything else: an older processor would die of SIGILL.
    package static func refusal() -> String? {
        guard !rewardd_cpu_supports_v3() else { return KernelSet.refusal() }
        return "processor: expected x86-64-v3 (AVX2, FMA, F16C), got one without it. "
            + "Run on a processor of 2013 or later, or expose these features to the virtual machine."
    }

    /// The number of processors this process may run on (its affinity mask), at least 1.
    package static var allowedCount: Int { Int(rewardd_allowed_processor_count()) }
}
