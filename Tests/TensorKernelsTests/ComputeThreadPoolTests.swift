import Synchronization
import TensorKernels
import Testing

@Suite("Compute thread pool")
struct ComputeThreadPoolTests {
    @Test("does every index exactly once, over many tiny runs", arguments: [1, 2, 3, 5])
    func everyIndexOnce(threads: Int) {
        let pool = ComputeThreadPool(threads: threads, name: "test", exceedingProcessors: true)
        #expect(pool.threadCount == threads)
        let calls = UnsafeMutablePointer<Atomic<Int>>.allocate(capacity: 64)
        defer { calls.deallocate() }
        for index in 0..<64 { (calls + index).initialize(to: Atomic(0)) }
        let strayWorkers = Atomic<Int>(0)
        var expected = [Int](repeating: 0, count: 64)
        for run in 0..<4000 {
            let count = run % 65
            pool.run(count: count) { index, worker in
                calls[index].add(1, ordering: .relaxed)
                if !(0..<threads).contains(worker) { strayWorkers.add(1, ordering: .relaxed) }
            }
            for index in 0..<count { expected[index] += 1 }
            // All calls have returned: the counts are complete after every run.
            if run % 100 == 0 {
                #expect((0..<64).map { calls[$0].load(ordering: .relaxed) } == expected)
            }
        }
        #expect((0..<64).map { calls[$0].load(ordering: .relaxed) } == expected)
        #expect(strayWorkers.load(ordering: .relaxed) == 0)
    }

    @Test("runs bodies side by side: two bodies can wait for each other")
    func sideBySide() {
        let pool = ComputeThreadPool(threads: 2, name: "test", exceedingProcessors: true)
        for _ in 0..<50 {
            let arrived = Atomic<Int>(0)
            pool.run(count: 2) { _, _ in
                arrived.add(1, ordering: .sequentiallyConsistent)
                while arrived.load(ordering: .sequentiallyConsistent) < 2 {}
            }
            #expect(arrived.load(ordering: .relaxed) == 2)
        }
    }

    @Test("is destroyed at once, whether its workers spin, sleep or have never worked")
    func destruction() {
        for round in 0..<200 {
            let pool = ComputeThreadPool(
                threads: 1 + round % 4,
                name: "test",
                exceedingProcessors: round % 2 == 0
            )
            if round % 3 > 0 { pool.run(count: round % 7) { _, _ in } }
        }
    }

    @Test("takes no more workers than processors, and at least one")
    func limits() {
        let pool = ComputeThreadPool(threads: 1000, name: "test")
        #expect(pool.threadCount == ProcessorSupport.allowedCount)
        #expect(ComputeThreadPool(threads: 0, name: "test").threadCount == 1)
        #expect(ProcessorSupport.refusal() == nil)
        pool.run(count: 0) { _, _ in Issue.record("no index to do") }
    }

    @Test("refuses a run inside a run of the same pool")
    func nested() async {
        await #expect(processExitsWith: .failure) {
            let pool = ComputeThreadPool(threads: 1, name: "test")
            pool.run(count: 1) { _, _ in pool.run(count: 1) { _, _ in } }
        }
    }
}
