internal import CPlatform
internal import Glibc

/// With which instructions the large products and attention run; chosen once at start, carried by each
/// `ComputeThreadPool`.
///
/// All sets give the same bits: an element is one chain of fused multiply-adds over ascending k, and a
/// wider register only runs more chains side by side.
package enum KernelSet: Sendable, CaseIterable {
    /// What the whole package is compiled for: 6 rows by one panel of 16 columns in 256-bit registers.
    case baseline
    /// Two whole panels at once with 512-bit registers (module `WideKernels`) wherever there are two.
    case wide

    /// The environment variable that asks for a set by its name.
    package static let environmentVariable = "REWARDD_KERNELS"

    /// The widest set of this processor, unless the environment asks for another.
    package static let chosen =
        choice(request, isWideSupported: rewardd_cpu_supports_v4()) ?? .baseline

    /// The name of the instructions, as the environment and `--version` spell it.
    package var name: String {
        switch self {
        case .baseline: Self.baselineName
        case .wide: "x86-64-v4"
        }
    }

    /// Whether this processor can run the set.
    package var isSupported: Bool { self == .baseline || rewardd_cpu_supports_v4() }

    /// The set to run, or nil when `request` names none that the processor supports.
    package static func choice(_ request: String?, isWideSupported: Bool) -> KernelSet? {
        let supported: [KernelSet] = isWideSupported ? [.baseline, .wide] : [.baseline]
        guard let request, !request.isEmpty else { return supported.last }
        return supported.first { $0.name == request }
    }

    /// Nil when the environment asks for nothing or for a set that can run, else the sentence to refuse
    /// with.
    static func refusal() -> String? {
        guard choice(request, isWideSupported: rewardd_cpu_supports_v4()) == nil else { return nil }
        let names = allCases.filter(\.isSupported).map(\.name).joined(separator: " or ")
        return "\(environmentVariable): expected \(names) on this processor, got \(request ?? "")."
    }

    private static var request: String? { getenv(environmentVariable).map { String(cString: $0) } }

    #if arch(x86_64)
        private static let baselineName = "x86-64-v3"
    #else
        private static let baselineName = "arm64"
    #endif
}
