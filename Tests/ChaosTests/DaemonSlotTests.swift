import Chaos
import Testing

@Suite("The life of a daemon under faults")
struct DaemonSlotTests {
    private func running() -> DaemonSlot {
        var slot = DaemonSlot()
        slot.started()
        return slot
    }

    @Test("starts at once, and again when its pause after a kill is over")
    func killed() {
        var slot = DaemonSlot()
        #expect(slot.tick(at: 0, exited: nil) == .start)
        slot.started()
        #expect(slot.isRunning)
        slot.killed(at: 10, pause: 2)
        #expect(slot.tick(at: 11, exited: nil) == .none)
        #expect(slot.tick(at: 12, exited: nil) == .start)
    }

    @Test("a frozen daemon goes on when its time is over")
    func frozen() {
        var slot = running()
        slot.frozen(until: 20)
        #expect(!slot.isRunning)
        #expect(slot.tick(at: 19, exited: nil) == .none)
        #expect(slot.tick(at: 20, exited: nil) == .resume)
        #expect(slot.isRunning)
    }

    @Test("a drained daemon must end, with status 0, and is started again")
    func drained() {
        var slot = running()
        slot.drained(at: 5, pause: 1)
        #expect(slot.tick(at: 6, exited: nil) == .none)
        #expect(slot.tick(at: 7, exited: 0) == .none)
        #expect(slot.tick(at: 7.5, exited: nil) == .none)
        #expect(slot.tick(at: 8, exited: nil) == .start)
        var bad = running()
        bad.drained(at: 5, pause: 1)
        #expect(bad.tick(at: 7, exited: 70) == .complain(status: 70))
        var stuck = running()
        stuck.drained(at: 5, pause: 1)
        #expect(stuck.tick(at: 5 + DaemonSlot.drainLimit + 1, exited: nil) == .giveUp)
    }

    @Test("a daemon that ends although nobody asked it to is complained about, also with status 0")
    func unexpected() {
        var slot = running()
        #expect(slot.tick(at: 1, exited: 0) == .complain(status: 0))
        #expect(slot.tick(at: 2.5, exited: nil) == .start)
        var crashed = running()
        #expect(crashed.tick(at: 1, exited: -11) == .complain(status: -11))
    }

    @Test("only a running daemon is frozen or drained")
    func ignored() {
        var slot = running()
        slot.killed(at: 1, pause: 5)
        let down = slot.state
        slot.frozen(until: 9)
        slot.drained(at: 1, pause: 1)
        #expect(slot.state == down)
    }
}
