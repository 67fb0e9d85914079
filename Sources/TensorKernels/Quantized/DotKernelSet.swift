internal import CPlatform

/// With which instructions products of quantised weights run; chosen with the `KernelSet`.
///
/// All sets give the same bits: sums within a block of inputs are integers and exact, and blocks are added
/// in one order with the same roundings.
package enum DotKernelSet: Sendable, CaseIterable {
    /// Swift's own vectors: wherever there is no other.
    case portable
    /// Products of 16-bit numbers, and of bytes for 4-bit weights, in 256-bit registers.
    case avx2
    /// Products of bytes in 512-bit registers (`vpdpbusd`, module `DotKernels`).
    case vnni

    /// The fastest set that this processor has and that `kernels` allows.
    package static func best(for kernels: KernelSet) -> DotKernelSet {
        #if arch(x86_64)
            kernels == .wide && rewardd_cpu_supports_vnni() ? .vnni : .avx2
        #else
            .portable
        #endif
    }

    /// What `--version` calls it.
    package var name: String {
        switch self {
        case .portable: "portable"
        case .avx2: "avx2"
        case .vnni: "avx512-vnni"
        }
    }

    /// Whether this processor can run the set.
    package var isSupported: Bool {
        switch self {
        case .portable: true
        case .avx2: Self.best(for: .baseline) == .avx2
        case .vnni: rewardd_cpu_supports_vnni()
        }
    }
}

extension KernelSet {
    /// What `--version` says: the kernels, and those for quantised weights.
    package static var description: String {
        "kernels: \(chosen.name), int8 and int4: \(DotKernelSet.best(for: chosen).name)"
    }
}
