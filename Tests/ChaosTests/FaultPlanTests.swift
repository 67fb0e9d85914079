import Chaos
import Testing

@Suite("The plan of faults")
struct FaultPlanTests {
    @Test("the same seed gives the same faults, another seed others")
    func deterministic() {
        let plan = FaultPlan(seed: 7, daemons: 3)
        for round in 1...20 {
            #expect(
                plan.faults(round: round) == FaultPlan(seed: 7, daemons: 3).faults(round: round)
            )
        }
        #expect(plan.faults(round: 1) != FaultPlan(seed: 8, daemons: 3).faults(round: 1))
        #expect(plan.faults(round: 1) != plan.faults(round: 2))
    }

    @Test("a round does not depend on whether earlier ones were asked for")
    func independent() {
        let plan = FaultPlan(seed: 3, daemons: 2)
        let late = plan.faults(round: 9)
        for round in 1...8 { _ = plan.faults(round: round) }
        #expect(plan.faults(round: 9) == late)
    }

    @Test("a cycle of rounds has met every kind", arguments: [0, 1, 2, 99, UInt64.max])
    func complete(seed: UInt64) {
        let plan = FaultPlan(seed: seed, daemons: 2)
        for cycle in 0..<3 {
            let first = 1 + cycle * FaultPlan.cycle
            let kinds = (first..<(first + FaultPlan.cycle))
                .flatMap { plan.faults(round: $0).map(\.kind) }
            #expect(Set(kinds) == Set(FaultKind.allCases))
        }
    }

    @Test("faults fall into their round, meet a daemon that exists, and freeze past the lease")
    func bounds() {
        let plan = FaultPlan(seed: 5, daemons: 3)
        for round in 1...200 {
            let faults = plan.faults(round: round)
            #expect((4...6).contains(faults.count))
            #expect(faults.map(\.offset) == faults.map(\.offset).sorted())
            for fault in faults {
                #expect(fault.round == round)
                #expect((0..<10).contains(fault.offset))
                switch fault.kind {
                case .kill, .drain, .trap, .reply: #expect((0..<3).contains(fault.target))
                case .freeze, .silence:
                    #expect((0..<3).contains(fault.target))
                    #expect(fault.seconds > 15)
                default: #expect(fault.target >= 0)
                }
            }
        }
    }
}
