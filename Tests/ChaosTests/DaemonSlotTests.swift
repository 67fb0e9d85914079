import Chaos
import FailPoints
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

    @Test("a daemon that somebody else kills, drains or freezes is started again, and it is noted")
    func outside() {
        var killed = running()
        #expect(killed.tick(at: 1, exited: -9) == .outside(.kill))
        #expect(killed.tick(at: 1.5, exited: nil) == .none)
        #expect(killed.tick(at: 2, exited: nil) == .start)
        var asked = running()
        #expect(asked.tick(at: 1, exited: 0, wasAsked: true) == .outside(.drain))
        var killedWhileDraining = running()
        killedWhileDraining.drained(at: 1, pause: 3)
        #expect(killedWhileDraining.tick(at: 2, exited: -9) == .outside(.kill))
        #expect(killedWhileDraining.tick(at: 5, exited: nil) == .start)
        var stopped = running()
        #expect(stopped.tick(at: 1, exited: nil, isStopped: true) == .outside(.freeze))
        #expect(stopped.tick(at: 2, exited: nil, isStopped: true) == .none)
        #expect(stopped.tick(at: 3, exited: nil) == .none)
        #expect(stopped.tick(at: 4, exited: nil, isStopped: true) == .outside(.freeze))
    }

    @Test("a daemon that dies or freezes at its fail point did as it was to")
    func trapped() {
        func trap(_ effect: DaemonSlot.Trap.Effect) -> DaemonSlot.Trap {
            DaemonSlot.Trap(point: .claimAfter, pass: 2, effect: effect, seconds: 5)
        }
        var killed = DaemonSlot()
        killed.started(trap: trap(.kill))
        #expect(killed.tick(at: 1, exited: nil) == .none)
        #expect(killed.tick(at: 2, exited: -9) == .sprung(trap(.kill)))
        #expect(killed.tick(at: 6, exited: nil) == .none)
        #expect(killed.tick(at: 7, exited: nil) == .start)
        killed.started()
        #expect(killed.tick(at: 8, exited: -9) == .outside(.kill))

        var frozen = DaemonSlot()
        frozen.started(trap: trap(.freeze))
        #expect(frozen.tick(at: 1, exited: nil, isStopped: true) == .sprung(trap(.freeze)))
        #expect(!frozen.isRunning)
        #expect(frozen.tick(at: 5, exited: nil, isStopped: true) == .none)
        #expect(frozen.tick(at: 6, exited: nil, isStopped: true) == .resume)
        #expect(frozen.isRunning)

        // Another signal than the one it was to send is complained about.
        var crashed = DaemonSlot()
        crashed.started(trap: trap(.kill))
        #expect(crashed.tick(at: 1, exited: -11) == .complain(status: -11))
    }

    @Test("a daemon frozen by its fail point while it drains drains on when it is resumed")
    func trappedWhileDraining() {
        var slot = DaemonSlot()
        slot.started(
            trap: DaemonSlot.Trap(point: .finishAfter, pass: 1, effect: .freeze, seconds: 17)
        )
        slot.drained(at: 1, pause: 2)
        guard case .sprung = slot.tick(at: 2, exited: nil, isStopped: true) else {
            Issue.record("\(slot.state)")
            return
        }
        #expect(slot.tick(at: 19, exited: nil, isStopped: true) == .resume)
        #expect(slot.tick(at: 20, exited: 0) == .none)
        #expect(slot.tick(at: 22, exited: nil) == .start)
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
