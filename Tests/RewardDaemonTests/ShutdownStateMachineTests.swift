import RewardDaemon
import Testing

@Suite("What a stop request means")
struct ShutdownStateMachineTests {
    @Test("the first signal drains, the end of work exits")
    func orderly() {
        var machine = ShutdownStateMachine()
        #expect(machine.workEnded() == .none)
        #expect(machine.stopRequested() == .drain)
        #expect(machine.workEnded() == .exit)
        #expect(machine.state == .stopped)
    }

    @Test("the end of the grace period cancels what still runs")
    func grace() {
        var machine = ShutdownStateMachine()
        _ = machine.stopRequested()
        #expect(machine.graceEnded() == .cancelWork)
        #expect(machine.workEnded() == .exit)
        #expect(machine.graceEnded() == .none)
    }

    @Test("a second signal does not wait for the grace period, a third changes nothing")
    func impatient() {
        var machine = ShutdownStateMachine()
        _ = machine.stopRequested()
        #expect(machine.stopRequested() == .cancelWork)
        #expect(machine.stopRequested() == .none)
        #expect(machine.graceEnded() == .none)
        #expect(machine.workEnded() == .exit)
    }
}
