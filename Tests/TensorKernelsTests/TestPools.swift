import TensorKernels

/// Pools of 1, 2 and 3 threads, also where there are fewer processors.
///
/// A pool serves one thread at a time and tests run side by side, so each test makes its own.
func makePools(kernels: KernelSet = .chosen) -> [ComputeThreadPool] {
    [1, 2, 3].map {
        ComputeThreadPool(threads: $0, name: "test", exceedingProcessors: true, kernels: kernels)
    }
}

extension Array where Element == Float {
    /// The bits, because NaN differs from itself and -0 does not differ from 0.
    var bits: [UInt32] { map(\.bitPattern) }

    /// Runs a kernel that works in place.
    mutating func apply(_ body: (UnsafeMutablePointer<Float>) -> Void) {
        withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress { body(base) }
        }
    }
}
