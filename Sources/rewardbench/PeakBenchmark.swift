internal import DotKernels
internal import Glibc
internal import TensorKernels
internal import WideKernels

#if arch(x86_64)
    internal import CIntrinsics
#endif

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

    /// Products of bytes from registers only, with the pool's kernels for quantised weights: operations a second
    /// of all threads together, in GOP/s; a multiplication and an addition count as two. Where those kernels are
    /// Swift's own, the rate of multiply-adds in f32, which widened numbers can reach at best.
    static func dotRate(pool: ComputeThreadPool, seconds: Double) -> Double {
        guard pool.dotKernels != .portable else {
            return multiplyAddRate(pool: pool, seconds: seconds)
        }
        let tasks = 8 * pool.threadCount
        let isWide = pool.dotKernels == .vnni
        let stepOperations = Double(chains * (isWide ? 64 : 32) * 2)
        let steps = max(1, Int(seconds * (isWide ? 700e9 : 180e9) / stepOperations / 8))
        let sums = UnsafeMutablePointer<Int32>.allocate(capacity: tasks)
        defer { sums.deallocate() }
        let elapsed = ElapsedTime()
        pool.run(count: tasks) { task, _ in
            sums[task] =
                isWide
                ? wideDotProducts(steps: steps, 0x0102_0304, 0x0102_0301)
                : dotProducts(steps: steps, 0x0102_0304, 0x0102_0301)
        }
        return Double(tasks * steps) * stepOperations / elapsed.seconds * 1e-9
    }

    /// The limit that products of weights held as `type` are set against.
    static func rate(_ type: PanelType, pool: ComputeThreadPool, seconds: Double) -> Double {
        type.isQuantized
            ? dotRate(pool: pool, seconds: seconds) : multiplyAddRate(pool: pool, seconds: seconds)
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

    /// Twelve chains of vpmaddubsw, vpmaddwd and vpaddd. The factors differ, so that none is computed once
    /// for all.
    @inline(never)
    private static func dotProducts(steps: Int, _ a: Int32, _ b: Int32) -> Int32 {
        #if arch(x86_64)
            let ones = SIMD16<Int16>(repeating: 1)
            var x = SIMD8<Int32>(repeating: a)
            var acc = InlineArray<12, SIMD8<Int32>>(repeating: .zero)
            var factors = acc
            for chain in 0..<12 { factors[chain] = SIMD8(repeating: b &+ Int32(chain)) }
            for _ in 0..<steps {
                let bytes = unsafeBitCast(x, to: SIMD32<UInt8>.self)
                for chain in 0..<12 {
                    let factor = unsafeBitCast(factors[chain], to: SIMD32<Int8>.self)
                    acc[chain] &+= rewardd_multiply_add_i16(
                        rewardd_multiply_add_u8_i8(bytes, factor),
                        ones
                    )
                }
                x &+= 1
            }
            var sum = acc[0]
            for chain in 1..<12 { sum &+= acc[chain] }
            return sum.wrappedSum()
        #else
            return 0
        #endif
    }

    @inline(never)
    private static func wordSum(_ memory: UnsafeRawPointer, byteCount: Int) -> SIMD8<UInt32> {
        var sums = InlineArray<4, SIMD8<UInt32>>(repeating: .zero)
        var offset = 0
        while offset < byteCount {
            #if arch(x86_64)
                // As products by few rows do: the processor's own prefetching ends with each page.
                rewardd_prefetch(memory + offset + 2048)
                rewardd_prefetch(memory + offset + 2112)
            #endif
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
