import FailPoints
import Synchronization
import Testing

@Suite("Fail points")
struct FailPointListTests {
    @Test("text says which edge, what happens and at which pass")
    func parsed() throws {
        let triggers = try FailPointList.parse(
            "checkpoint.before_commit=kill@3,claim.after=stop,heartbeat.before=stall:2.5s@2"
        )
        #expect(triggers.count == 3)
        #expect(triggers[.checkpointBeforeCommit] == FailPoints.Trigger(.kill, pass: 3))
        #expect(triggers[.claimAfter] == FailPoints.Trigger(.stop))
        #expect(triggers[.heartbeatBefore] == FailPoints.Trigger(.stall(seconds: 2.5), pass: 2))
        #expect(try FailPointList.parse(FailPointList.text(triggers)) == triggers)
    }

    @Test(
        "text of another form is refused with the part that is wrong",
        arguments: [
            "", "claim.after", "claim.after=", "claim.after=die", "claim.after=kill@0",
            "claim.after=kill@x", "claim.after=stall:5", "claim.after=stall:-1s",
            "claim.after=stall:601s", "claim.after=stall:nans", "nowhere=kill", "=kill",
            "claim.after=kill,claim.after=stop", "claim.after=kill,",
        ]
    )
    func refused(text: String) {
        let error = #expect(throws: FailPointList.Malformed.self) {
            _ = try FailPointList.parse(text)
        }
        #expect(error.map { text.contains($0.got) } == true)
    }

    @Test("only the armed edge acts, at its pass and never again")
    func passes() {
        let calls = Mutex<[String]>([])
        let points = FailPoints([.answerAfter: FailPoints.Trigger(.stall(seconds: 0), pass: 2)]) {
            point,
            action in
            calls.withLock { $0.append("\(point.rawValue) \(action.text)") }
        }
        for _ in 0..<5 {
            for point in FailPoint.allCases { points.pass(point) }
        }
        #expect(calls.withLock { $0 } == ["answer.after stall:0.0s"])
        // Nothing armed, nothing happens.
        for point in FailPoint.allCases { FailPoints.none.pass(point) }
    }

    @Test("names are words with a dot, no two alike")
    func names() {
        let names = FailPoint.allCases.map(\.rawValue)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.split(separator: ".").count == 2 })
    }
}
