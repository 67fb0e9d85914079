internal import CPlatform
internal import Synchronization
internal import Threading

/// The persistent threads that share the arithmetic of one engine; the calling thread is one of them.
///
/// A transformer step makes some hundred calls of 20 µs to 50 ms each, one after another. So a worker
/// without work spins for about half a millisecond (longer than any serial gap inside a step) and only
/// then sleeps in a futex. Measured on two cores: about 1 µs to start and join a run while spinning; a
/// pool that parks at once needs 20–110 µs, as do Dispatch and task groups.
///
/// Indices are claimed one by one from a shared word, so a thread that loses its processor holds up
/// only the index it has, and `run` does not wait for workers that never came.
///
/// One thread at a time may call `run`, and a body must not call `run` of its own pool.
package final class ComputeThreadPool: Sendable {
    /// Workers, the calling thread included: bodies see worker numbers below it.
    package let threadCount: Int

    /// The instructions that products on these threads run with.
    package let kernels: KernelSet

    /// The instructions that products of quantised weights run with.
    package let dotKernels: DotKernelSet

    private let board: JobBoard
    private let threads: [NamedThread]
    private let scratch: WorkerScratch
    private let shared = SharedScratch()

    /// Starts `threads - 1` threads, but no more workers than processors this process may use: with
    /// three spinning threads on two processors a run takes 0.6–1.6 ms instead of 1 µs.
    ///
    /// - Parameters:
    ///   - name: shown by top(1) followed by the worker number.
    ///   - exceedingProcessors: takes `threads` literally; waiting threads then sleep instead of spin.
    ///   - kernels: must be one that this processor supports.
    ///   - dotKernels: likewise; nil for the fastest that `kernels` allows.
    package init(
        threads: Int,
        name: String,
        exceedingProcessors: Bool = false,
        kernels: KernelSet = .chosen,
        dotKernels: DotKernelSet? = nil
    ) {
        precondition(kernels.isSupported, "ComputeThreadPool: no \(kernels.name) on this processor")
        let dotKernels = dotKernels ?? .best(for: kernels)
        precondition(
            dotKernels.isSupported,
            "ComputeThreadPool: no \(dotKernels.name) on this processor"
        )
        self.dotKernels = dotKernels
        let allowed = ProcessorSupport.allowedCount
        let count = max(1, exceedingProcessors ? threads : min(threads, allowed))
        let board = JobBoard(spins: count <= allowed ? 20_000 : 0)
        threadCount = count
        self.kernels = kernels
        self.board = board
        scratch = WorkerScratch(workers: count)
        self.threads = (1..<max(count, 1)).map { worker in
            NamedThread(name: "\(name)-\(worker)") { board.serve(worker: worker) }
        }
    }

    deinit {
        board.stop()
        for thread in threads { thread.join() }
    }

    /// Calls `body(index, worker)` exactly once for every index in `0..<count` and returns when all
    /// calls have returned; the caller is worker 0. No order is promised. Allocates nothing.
    package func run(count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
        board.beginRun()
        defer { board.endRun() }
        guard count > 1, threadCount > 1 else {
            for index in 0..<max(count, 0) { body(index, 0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            withUnsafePointer(to: body) { board.run(count: count, $0) }
        }
    }

    /// Memory of one worker for the length of one body: `ComputeThreadPool.scratchByteCount` bytes,
    /// aligned to 64. Its contents do not survive.
    func scratch(worker: Int) -> UnsafeMutableRawPointer {
        scratch.base + worker * Self.scratchByteCount
    }

    /// Memory that all workers see, for the length of one call of a kernel: at least `byteCount` bytes, aligned
    /// to 64. It grows to the largest size ever asked for and is kept. Only the thread that calls `run` may
    /// ask, and not while it runs.
    func sharedScratch(byteCount: Int) -> UnsafeMutableRawPointer {
        shared.memory(byteCount: byteCount)
    }

    /// Bytes of scratch memory per worker: about one second-level cache.
    static let scratchByteCount = 768 << 10
}

/// The scratch memory of all workers, freed with the pool.
// @unchecked Sendable because each worker uses only its own part.
private final class WorkerScratch: @unchecked Sendable {
    let base: UnsafeMutableRawPointer

    init(workers: Int) {
        base = .allocate(
            byteCount: workers * ComputeThreadPool.scratchByteCount,
            alignment: 4096
        )
    }

    deinit { base.deallocate() }
}

/// Memory of the calling thread that grows on demand.
// @unchecked Sendable because one thread at a time calls kernels.
private final class SharedScratch: @unchecked Sendable {
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0

    func memory(byteCount: Int) -> UnsafeMutableRawPointer {
        if let base, byteCount <= capacity { return base }
        base?.deallocate()
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(byteCount, 64),
            alignment: 4096
        )
        base = memory
        capacity = byteCount
        return memory
    }

    deinit { base?.deallocate() }
}

/// A body as the workers reach it: through its address, valid until its run has ended.
private typealias Body = (_ index: Int, _ worker: Int) -> Void

/// Where runs are announced and indices claimed.
///
/// `claims` holds the number of the run in its upper half and the indices left in its lower half, so a
/// claim (one compare-and-exchange) succeeds only for the run whose body and count were read before
/// it. A claimed index keeps its run, and so the address of its body, alive until it is reported done.
private final class JobBoard: Sendable {
    private let claims = Atomic<UInt64>(0)
    private let count = Atomic<Int>(0)
    private let bodyAddress = Atomic<UInt>(0)
    private let isRunning = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)

    /// Indices not yet done; the caller sleeps on it.
    private let unfinished = FutexWord()
    private let isCallerParked = Atomic<Bool>(false)

    /// Bumped to wake sleeping workers, which sleep on it.
    private let wakeUps = FutexWord()
    private let sleepers = Atomic<Int>(0)

    private let spins: Int

    init(spins: Int) { self.spins = spins }

    // MARK: - The caller

    func beginRun() {
        precondition(
            isRunning.compareExchange(expected: false, desired: true, ordering: .acquiring)
                .exchanged,
            "ComputeThreadPool.run: called from a body, or from two threads at once"
        )
    }

    func endRun() { isRunning.store(false, ordering: .releasing) }

    func run(count: Int, _ body: UnsafePointer<Body>) {
        precondition(count <= Int(Int32.max), "ComputeThreadPool.run: count \(count) above 2^31")
        self.count.store(count, ordering: .relaxed)
        bodyAddress.store(UInt(bitPattern: body), ordering: .relaxed)
        unfinished.store(UInt32(count))
        let run = (claims.load(ordering: .relaxed) >> 32) &+ 1
        claims.store(run << 32 | UInt64(count), ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
            wakeUps.increment()
            rewardd_futex_wake(wakeUps.address, Int32(count - 1))
        }
        work(worker: 0)
        waitUntilFinished()
    }

    private func waitUntilFinished() {
        for _ in 0..<spins {
            if unfinished.load() == 0 { return }
            rewardd_pause()
        }
        isCallerParked.store(true, ordering: .sequentiallyConsistent)
        while true {
            let left = unfinished.load()
            if left == 0 { break }
            rewardd_futex_wait(unfinished.address, left)
        }
        isCallerParked.store(false, ordering: .relaxed)
    }

    func stop() {
        isStopped.store(true, ordering: .sequentiallyConsistent)
        wakeUps.increment()
        rewardd_futex_wake(wakeUps.address, Int32.max)
    }

    // MARK: - The workers

    func serve(worker: Int) {
        while waitForWork() { work(worker: worker) }
    }

    /// False when the pool is being destroyed.
    private func waitForWork() -> Bool {
        while true {
            for _ in 0...spins {
                if hasWork { return true }
                if isStopped.load(ordering: .relaxed) { return false }
                rewardd_pause()
            }
            sleepers.add(1, ordering: .sequentiallyConsistent)
            let seen = wakeUps.load()
            if !hasWork, !isStopped.load(ordering: .sequentiallyConsistent) {
                rewardd_futex_wait(wakeUps.address, seen)
            }
            sleepers.subtract(1, ordering: .sequentiallyConsistent)
        }
    }

    private var hasWork: Bool {
        UInt32(truncatingIfNeeded: claims.load(ordering: .sequentiallyConsistent)) > 0
    }

    /// Claims and does indices until none is left, then reports them done together.
    private func work(worker: Int) {
        var done: UInt32 = 0
        while let (index, body) = claim() {
            body.pointee(index, worker)
            done &+= 1
        }
        guard done > 0 else { return }
        let left = unfinished.subtract(done)
        if left == 0, isCallerParked.load(ordering: .sequentiallyConsistent) {
            rewardd_futex_wake(unfinished.address, 1)
        }
    }

    private func claim() -> (index: Int, body: UnsafePointer<Body>)? {
        var seen = claims.load(ordering: .sequentiallyConsistent)
        while true {
            let left = Int(UInt32(truncatingIfNeeded: seen))
            if left == 0 { return nil }
            // These two may belong to a later run; then the exchange fails.
            let total = count.load(ordering: .relaxed)
            let address = bodyAddress.load(ordering: .relaxed)
            let (exchanged, original) = claims.compareExchange(
                expected: seen,
                desired: seen - 1,
                ordering: .sequentiallyConsistent
            )
            if exchanged, let body = UnsafePointer<Body>(bitPattern: address) {
                return (total - left, body)
            }
            seen = original
        }
    }
}

/// A 32-bit atomic with an address, alone on its cache lines.
// @unchecked Sendable because the only thing behind the pointer is an atomic.
private final class FutexWord: @unchecked Sendable {
    private let memory: UnsafeMutableRawPointer
    private let word: UnsafeMutablePointer<Atomic<UInt32>>

    init() {
        memory = .allocate(byteCount: 128, alignment: 128)
        word = memory.bindMemory(to: Atomic<UInt32>.self, capacity: 1)
        word.initialize(to: Atomic(0))
    }

    deinit { memory.deallocate() }

    func load() -> UInt32 { word.pointee.load(ordering: .sequentiallyConsistent) }

    func store(_ value: UInt32) { word.pointee.store(value, ordering: .sequentiallyConsistent) }

    func increment() { word.pointee.add(1, ordering: .sequentiallyConsistent) }

    /// Subtracts and returns the new value.
    func subtract(_ amount: UInt32) -> UInt32 {
        word.pointee.subtract(amount, ordering: .sequentiallyConsistent).newValue
    }

    var address: UnsafeRawPointer { UnsafeRawPointer(memory) }
}
