import RewardDaemon
import Testing

@Suite("When the worker claims")
struct WorkerStateMachineTests {
    @Test("asks for as many shards as it has free slots, and only once at a time")
    func freeSlots() {
        var machine = WorkerStateMachine(slots: 3)
        #expect(machine.woken() == .claim(3))
        #expect(machine.woken() == .none)
        #expect(machine.claimed(0) == .claim(3))
        #expect(machine.claimed(0) == .none)
    }

    @Test("claims again after a claim that found work, until nothing is found")
    func greedy() {
        var machine = WorkerStateMachine(slots: 2)
        #expect(machine.woken() == .claim(2))
        #expect(machine.claimed(1) == .claim(1))
        #expect(machine.claimed(0) == .none)
        #expect(machine.runningCount == 1)
    }

    @Test("claims when a shard ends and while full claims nothing")
    func full() {
        var machine = WorkerStateMachine(slots: 1)
        _ = machine.woken()
        #expect(machine.claimed(1) == .none)
        #expect(machine.woken() == .none)
        #expect(machine.shardEnded() == .claim(1))
    }

    @Test("a failed claim waits for the next wake-up")
    func failedClaim() {
        var machine = WorkerStateMachine(slots: 1)
        _ = machine.woken()
        #expect(machine.claimFailed() == .none)
        #expect(machine.woken() == .claim(1))
    }

    @Test("a drain stops at once when nothing runs")
    func emptyDrain() {
        var machine = WorkerStateMachine(slots: 2)
        #expect(machine.drain() == .stopped)
        #expect(machine.woken() == .none)
    }

    @Test("a drain waits for the claim in progress and for every running shard")
    func busyDrain() {
        var machine = WorkerStateMachine(slots: 2)
        _ = machine.woken()
        #expect(machine.drain() == .none)
        #expect(machine.claimed(2) == .none)
        #expect(machine.shardEnded() == .none)
        #expect(machine.shardEnded() == .stopped)
    }

    @Test("random event sequences never run more than the slots and end every drain")
    func randomSequences() {
        for seed in UInt64(1)...200 {
            var random = SplitMix(state: seed)
            let slots = Int(random.next() % 4) + 1
            var machine = WorkerStateMachine(slots: slots)
            var asked: Int?
            var stopped = false
            func note(_ action: WorkerStateMachine.Action) {
                switch action {
                case .claim(let count):
                    #expect(asked == nil && count + machine.runningCount <= slots, "seed \(seed)")
                    asked = count
                case .stopped: stopped = true
                case .none: break
                }
            }
            for step in 0..<100 {
                switch random.next() % 4 {
                case 0: note(machine.woken())
                case 1:
                    guard let limit = asked else { continue }
                    asked = nil
                    note(machine.claimed(Int(random.next() % UInt64(limit + 1))))
                case 2: if machine.runningCount > 0 { note(machine.shardEnded()) }
                default: if step > 60 { note(machine.drain()) }
                }
            }
            note(machine.drain())
            if asked != nil { note(machine.claimed(0)) }
            while machine.runningCount > 0 { note(machine.shardEnded()) }
            #expect(stopped, "seed \(seed)")
        }
    }
}

/// A small seeded generator (SplitMix64, Steele et al. 2014), so that a failing seed can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
