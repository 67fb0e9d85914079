import Testing

@testable import RemoteInference

@Suite("Work for a server that was out")
struct OutageGateTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant {
        start + .milliseconds(Int(seconds * 1000))
    }

    @Test("waits twice as long each time, up to a bound, and at once after an answer to a question")
    func doubles() {
        var gate = OutageGate()
        #expect(gate.isOpen && !gate.isLookDue(at: start))
        var now = 0.0
        for wait in [1.0, 2, 4, 8, 15, 15, 15] {
            gate.failed(at: at(now))
            #expect(!gate.isOpen)
            #expect(!gate.isLookDue(at: at(now + wait - 0.01)))
            #expect(gate.isLookDue(at: at(now + wait)))
            now += wait
        }
        gate.answered(at: at(now), isToQuestion: true)
        #expect(gate.isOpen)
        gate.failed(at: at(now))
        #expect(gate.isLookDue(at: at(now + 1)))
    }

    @Test("a list of models opens it, and forgets nothing")
    func lists() {
        var gate = OutageGate()
        gate.failed(at: at(0))
        gate.answered(at: at(1), isToQuestion: false)
        #expect(gate.isOpen)
        gate.failed(at: at(1))
        #expect(!gate.isLookDue(at: at(2.9)) && gate.isLookDue(at: at(3)))
    }

    @Test(
        "requests that fail together are one outage, and answers to others that were under way no end of it"
    )
    func together() {
        var gate = OutageGate()
        for _ in 0..<16 { gate.failed(at: at(0.5)) }
        gate.answered(at: at(1.4), isToQuestion: true)
        #expect(!gate.isOpen && !gate.isLookDue(at: at(1.4)) && gate.isLookDue(at: at(1.5)))
    }

    @Test("a server may ask for longer, up to an hour")
    func asked() {
        var gate = OutageGate()
        gate.failed(at: at(0), asked: .seconds(90))
        #expect(!gate.isLookDue(at: at(89)) && gate.isLookDue(at: at(90)))
        gate.failed(at: at(10), asked: .seconds(100))
        #expect(!gate.isLookDue(at: at(109)) && gate.isLookDue(at: at(110)))
        var patient = OutageGate()
        patient.failed(at: at(0), asked: .seconds(86_400))
        #expect(patient.isLookDue(at: at(3600)))
    }
}
