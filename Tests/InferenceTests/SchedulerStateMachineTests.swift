import Testing

@testable import Inference

/// Who runs next, with which blocks: the decisions alone, on simulated memory.
@Suite("Scheduler")
struct SchedulerStateMachineTests {
    static func limits(
        rows: Int = 64,
        sequences: Int = 8,
        blocks: Int = 64,
        shares: Bool = true
    ) -> SchedulerStateMachine.Limits {
        SchedulerStateMachine.Limits(
            rows: rows,
            sequences: sequences,
            blocks: blocks,
            sharesPrefixes: shares
        )
    }

    /// Keys that begin with `shared` and go on with something of their own.
    static func keys(_ count: Int, own: UInt64, shared: [UInt64] = []) -> [UInt64] {
        shared + (0..<UInt64(count - shared.count)).map { own * 10_000 + $0 }
    }

    @Test("packs rows of several prompts into one step, in order")
    func packing() {
        let engine = SimulatedEngine(Self.limits(rows: 64))
        for own in 1...4 { engine.submit(Self.keys(20, own: UInt64(own))) }
        engine.drain()
        #expect(engine.stepRows == [64, 16])
        #expect(engine.finished == [1, 2, 3, 4])
        engine.expectNoLeak()
    }

    @Test("an answer being written gets its row in every step, whatever prompts come")
    func answersGoOn() {
        let engine = SimulatedEngine(Self.limits(rows: 32))
        let writer = engine.submit(Self.keys(10, own: 1), toWrite: 30)
        engine.advance()
        for own in 2...9 { engine.submit(Self.keys(200, own: UInt64(own))) }
        var steps = 0
        while !engine.finished.contains(writer) {
            engine.advance()
            steps += 1
        }
        #expect(steps == 30)
        #expect(engine.stepRows.dropFirst().allSatisfy { $0 == 32 })
    }

    @Test("a higher priority goes first, equal ones in the order they came")
    func priorities() {
        let engine = SimulatedEngine(Self.limits(rows: 16, sequences: 1))
        for (own, priority) in [(1, 0), (2, 0), (3, 5), (4, 0), (5, 5)] as [(UInt64, Int)] {
            engine.submit(Self.keys(40, own: own), priority: priority)
        }
        engine.drain()
        #expect(engine.finished == [3, 5, 1, 2, 4])
    }

    @Test("a higher priority takes the place of what runs, which then goes on where it was")
    func preemptionByPriority() {
        let engine = SimulatedEngine(Self.limits(rows: 16, sequences: 1))
        engine.submit(Self.keys(100, own: 1))
        engine.advance()
        engine.advance()
        engine.submit(Self.keys(40, own: 2), priority: 1)
        engine.drain()
        #expect(engine.finished == [2, 1])
        #expect(engine.computedRows == 140, "the tree kept the first 32 rows")
    }

    @Test("a large request at the head of the line is not overtaken for ever")
    func noStarvation() {
        let engine = SimulatedEngine(Self.limits(rows: 64, sequences: 8, blocks: 12))
        engine.submit(Self.keys(300, own: 1), toWrite: 40)
        engine.advance()
        let large = engine.submit(Self.keys(600, own: 2))
        var own: UInt64 = 3
        for _ in 0..<200 where !engine.finished.contains(large) {
            engine.submit(Self.keys(60, own: own))
            own += 1
            engine.advance()
        }
        #expect(engine.finished.contains(large))
        engine.drain()
        engine.expectNoLeak()
    }

    @Test("answers that outgrow the blocks: the last in order is put back, and all end")
    func outOfBlocks() {
        let engine = SimulatedEngine(Self.limits(rows: 64, sequences: 8, blocks: 8))
        for own in 1...5 { engine.submit(Self.keys(60, own: UInt64(own)), toWrite: 200) }
        engine.drain()
        #expect(Set(engine.finished) == [1, 2, 3, 4, 5])
        #expect(engine.finished.first == 1)
        engine.expectNoLeak()
    }

    @Test("what one request is about to compute, the next one waits for and shares")
    func sharing() {
        let shared = Self.keys(150, own: 9)
        let engine = SimulatedEngine(Self.limits(rows: 64))
        for own in 1...4 { engine.submit(Self.keys(160, own: UInt64(own), shared: shared)) }
        engine.drain()
        #expect(engine.computedRows == 150 + 4 * 10)
        engine.expectNoLeak()
    }

    @Test("shares nothing between requests when it may not, and still within one")
    func noSharing() {
        let shared = Self.keys(100, own: 9)
        let engine = SimulatedEngine(Self.limits(shares: false))
        for _ in 0..<2 {
            engine.submit(
                [1, 2, 3].map {
                    SequenceDemand(keys: Self.keys(110, own: $0, shared: shared), wanted: [109])
                }
            )
        }
        engine.drain()
        #expect(engine.computedRows == 2 * (100 + 3 * 10))
        engine.expectNoLeak()
        #expect(engine.scheduler.tree.nodeCount == 0)
    }

    @Test("rows whose logits are wanted are computed even when they are known")
    func wantedRows() {
        let engine = SimulatedEngine(Self.limits())
        let keys = Self.keys(90, own: 1)
        engine.submit(keys)
        engine.drain()
        engine.submit([SequenceDemand(keys: keys, wanted: [40, 89])])
        engine.drain()
        #expect(engine.computedRows == 90 + 50)
        #expect(engine.requests[2]?.given.values.first == [40, 89])
    }

    @Test("a prompt waits for its image; rows before it and other prompts do not")
    func images() {
        let engine = SimulatedEngine(Self.limits(rows: 64))
        let seen = engine.submit(
            Self.keys(80, own: 1),
            awaited: [AwaitedVisual(visual: 0, rows: 30..<60)]
        )
        engine.submit(Self.keys(80, own: 2))
        engine.advance()
        #expect(engine.stepRows == [64] && engine.encoded.isEmpty)
        engine.drain()
        #expect(engine.encoded.map(\.request) == [seen])
        // Known rows need no image.
        engine.submit(
            Self.keys(80, own: 1),
            awaited: [AwaitedVisual(visual: 0, rows: 30..<60)]
        )
        engine.drain()
        #expect(engine.encoded.count == 1)
    }

    @Test("while an image is encoded, answers get their rows and nothing else does")
    func stepsWhileEncoding() {
        let engine = SimulatedEngine(Self.limits(rows: 64))
        engine.submit(Self.keys(10, own: 1), toWrite: 5)
        engine.advance()
        engine.submit(Self.keys(40, own: 2))
        #expect(engine.advanceWhileEncoding())
        #expect(engine.stepRows == [10, 1])
        while engine.advanceWhileEncoding() {}
        #expect(engine.finished == [1])
        #expect(engine.stepRows == [10, 1, 1, 1, 1, 1])
    }

    @Test("a request dropped at any moment leaves nothing behind", arguments: 0..<12)
    func cancellation(moment: Int) {
        let engine = SimulatedEngine(Self.limits(rows: 32, blocks: 10))
        let shared = Self.keys(70, own: 9)
        for own in 1...4 {
            engine.submit(Self.keys(120, own: UInt64(own), shared: shared), toWrite: 3)
        }
        for _ in 0..<moment { engine.advance() }
        for request in [1, 3] where !engine.finished.contains(request) { engine.cancel(request) }
        engine.drain()
        #expect(Set(engine.finished).isSuperset(of: [2, 4]))
        engine.expectNoLeak()
    }

    @Test(
        "any mixture ends, and every row finds those before it",
        arguments: 0..<40 as Range<UInt64>
    )
    func mixture(seed: UInt64) {
        var random = SplitMix(state: seed)
        let blocks = Int.random(in: 8...30, using: &random)
        let engine = SimulatedEngine(
            Self.limits(
                rows: Int.random(in: 1...150, using: &random),
                sequences: Int.random(in: 1...9, using: &random),
                blocks: blocks,
                shares: Int.random(in: 0..<4, using: &random) > 0
            )
        )
        let stems = (0..<3).map { Self.keys(Int.random(in: 1...200, using: &random), own: 90 + $0) }
        var cancelled: Set<Int> = []
        var asked = 0
        while asked < 40 || !engine.scheduler.isIdle {
            if asked < 40, Int.random(in: 0..<3, using: &random) == 0 {
                asked += 1
                let stem = stems.randomElement(using: &random) ?? []
                let own = UInt64(Int.random(in: 1...6, using: &random))
                let tail = Self.keys(Int.random(in: 1...90, using: &random), own: own)
                let keys = stem + tail
                let room = max((blocks - 1) * 64 - keys.count, 0)
                let visual = AwaitedVisual(visual: 0, rows: 0..<stem.count)
                engine.submit(
                    keys,
                    toWrite: min(Int.random(in: 0...90, using: &random), room),
                    priority: Int.random(in: 0...2, using: &random),
                    awaited: Bool.random(using: &random) ? [visual] : []
                )
            } else if asked > 0, Int.random(in: 0..<25, using: &random) == 0 {
                let request = Int.random(in: 1...asked, using: &random)
                if !engine.finished.contains(request) {
                    cancelled.insert(request)
                    engine.cancel(request)
                }
            } else if Int.random(in: 0..<6, using: &random) == 0 {
                _ = engine.advanceWhileEncoding()
            } else {
                engine.advance()
            }
        }
        #expect(engine.finished.count == Set(engine.finished).count, "seed \(seed)")
        #expect(Set(engine.finished).union(cancelled).count == 40, "seed \(seed)")
        engine.expectNoLeak()
    }
}
