import Chaos
import Testing

@Suite("Which answers may be given again")
struct RepeatAllowanceTests {
    @Test("none without an interruption, two items for each shard of a daemon that is lost")
    func lostDaemon() {
        var allowance = RepeatAllowance(daemons: 3, slots: 2, questionsPerItem: 10)
        #expect(allowance.allowed(answers: 100, now: 1) == 0)
        allowance.happened(.pause, answers: 100, end: 2)
        #expect(allowance.allowed(answers: 100, now: 2) == 0)
        allowance.happened(.kill, answers: 100, end: 3)
        #expect(allowance.allowed(answers: 100, now: 3) == 2 * 2 * 10)
        allowance.happened(.cut, answers: 100, end: 4)
        #expect(allowance.allowed(answers: 100, now: 4) == 2 * 2 * 10 * 4)
    }

    @Test("what a daemon answers that is cut off may be lost, until it fences itself")
    func silence() {
        var allowance = RepeatAllowance(daemons: 3, slots: 1, questionsPerItem: 10)
        allowance.happened(.silence, answers: 100, end: 13)
        #expect(allowance.allowed(answers: 140, now: 12) == 20 + 40)
        #expect(allowance.allowed(answers: 150, now: 14) == 20 + 50)
        #expect(allowance.allowed(answers: 900, now: 15) == 20 + 50)
        allowance.happened(.trap, answers: 900, end: 16)
        allowance.happened(.reply, answers: 900, end: 16)
        #expect(allowance.allowed(answers: 900, now: 16) == 20 + 50 + 40 + 20)
    }

    @Test("what is answered while the server is away may be lost, what comes later may not")
    func outage() {
        var allowance = RepeatAllowance(daemons: 1, slots: 1, questionsPerItem: 10)
        allowance.happened(.crash, answers: 100, end: 5)
        #expect(allowance.allowed(answers: 150, now: 6) == 20 + 50)
        let over = 5 + RepeatAllowance.returnSeconds + 1
        #expect(allowance.allowed(answers: 160, now: over) == 20 + 60)
        #expect(allowance.allowed(answers: 900, now: over + 1) == 20 + 60)
    }
}
