internal import Glibc
internal import TensorKernels
internal import WideKernels

/// The limits of this machine at this minute: every rate of the other benchmarks is set against them.
enum PeakBenchmark {
    /// Fused multiply-adds from registers only, as wide as the pool's kernels: GFLOP/s of all threads
    /// together.
    ///
    /// - Parameter seconds: about how long to measure on a processor of 3 GHz. Give the length of the
    ///   thing compared with: on a shared machine short measurements see only the quiet moments.
    static func multiplyAddRate(pool: ComputeThreadPool, seconds: Double) -> Double {
        let tasks = 8 * pool.threadCount
        let isWide = pool.kernels == .wide
        let stepFlops = Double(chains * (isWide ? 16 : 8) * 2)
        let steps = max(1, Int(seconds * 100e9 / stepFlops / 8))
        let sums = UnsafeMutablePointer<Float>.allocate(capacity: tasks)
        defer { sums.deallocate() }
        let elapsed = ElapsedTime()
        pool.run(count: tasks) { task, _ in
            sums[task] =
                isWide
                ? wideMultiplyAdds(steps: steps, 0.999, 0.001)
                : multiplyAdds(steps: steps, 0.999, 0.001)
        }
        return Double(tasks * steps) * stepFlops / elapsed.seconds * 1e-9
    }

    /// Reading a block of memory much larger than the caches, once: GB/s of all threads together.
    static func readRate(pool: ComputeThreadPool, byteCount: Int = 256 << 20) -> Double {
        let slices = 16 * pool.threadCount
        let sliceBytes = byteCount / slices / 256 * 256
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: slices * sliceBytes,
            alignment: 4096
        )
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 1, count: slices * sliceBytes)
        let sums = UnsafeMutablePointer<SIMD8<UInt32>>.allocate(capacity: slices)
        defer { sums.deallocate() }
        var rates: [Double] = []
        for _ in 0..<5 {
            let elapsed = ElapsedTime()
            pool.run(count: slices) { slice, _ in
                sums[slice] = wordSum(memory + slice * sliceBytes, byteCount: sliceBytes)
            }
            rates.append(Double(slices * sliceBytes) / elapsed.seconds * 1e-9)
        }
        return rates.sorted()[rates.count / 2]
    }

    /// Accumulators: two ports times four cycles need at least eight.
    private static let chains = 12

    @inline(never)
    private static func multiplyAdds(steps: Int, _ a: Float, _ b: Float) -> Float {
        let a = SIMD8<Float>(repeating: a)
        let b = SIMD8<Float>(repeating: b)
        var acc = InlineArray<12, SIMD8<Float>>(repeating: .zero)
        for _ in 0..<steps {
            for chain in 0..<12 { acc[chain].addProduct(a, b) }
        }
        var sum = acc[0]
        for chain in 1..<12 { sum += acc[chain] }
        return sum.sum()
    }

    @inline(never)
    private static func wordSum(_ memory: UnsafeRawPointer, byteCount: Int) -> SIMD8<UInt32> {
        var sums = InlineArray<4, SIMD8<UInt32>>(repeating: .zero)
        var offset = 0
        while offset < byteCount {
            for part in 0..<4 {
                sums[part] &+= (memory + offset + part &* 32).loadUnaligned(as: SIMD8<UInt32>.self)
            }
            offset &+= 128
        }
        return sums[0] &+ sums[1] &+ sums[2] &+ sums[3]
    }
}

/// The monotonic time since its creation.
struct ElapsedTime {
    private let start = ElapsedTime.now()

    /// Seconds since creation.
    var seconds: Double { Self.now() - start }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
