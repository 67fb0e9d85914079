import Chaos
import FailPoints
import Testing

@Suite("The report of a run")
struct ChaosReportTests {
    @Test("sums up in one line when everything held")
    func held() {
        var report = ChaosReport(seed: 7)
        report.rounds = 3
        report.faults = [.kill: 2, .crash: 1]
        report.sprung = [.claimAfter: 2, .finishAfter: 1]
        report.lostReplies = 6
        report.jobs = 40
        report.items = 500
        report.judgements = 900
        report.rescues = 4
        report.killNoticed = [4.04, 3.5]
        report.answers = 910
        report.repeats = 10
        report.seconds = 41.6
        #expect(report.hasHeld)
        #expect(
            report.text
                == "3 rounds, 3 faults (kill 2, crash 1), 3 fail points met, 6 replies lost, "
                + "40 jobs, 500 items, 900 judgements, "
                + "4 rescues, a killed daemon noticed in 4.0 s (at most 4.0 s), "
                + "10 of 910 answers given again, seed 7, 41 s: I1-I7 held\n"
        )
        #expect(report.json.contains(#""claim.after":2"#))
        report.answers = nil
        #expect(report.summary.hasSuffix(": I1, I2, I4-I7 held"))
    }

    @Test("says what it was kept from, and keeps the sum")
    func obstacle() {
        var report = ChaosReport(seed: 7)
        report.rounds = 3
        report.obstacle = "connection to PostgreSQL lost"
        #expect(!report.hasHeld)
        #expect(report.text.hasPrefix("3 rounds, "))
        #expect(report.text.hasSuffix(": could not go on: connection to PostgreSQL lost\n"))
        #expect(report.json.contains(#""obstacle":"connection to PostgreSQL lost""#))
    }

    @Test("names what is broken, where, and the rows that show it, before the sum")
    func broken() {
        var report = ChaosReport(seed: 7)
        report.place = .round(2)
        report.violations = [
            Violation(
                invariant: "I2",
                rule: "a thing is lost",
                evidence: #"{"job_id": 1}"#,
                total: 9
            ),
            Violation(
                invariant: "I2",
                rule: "a thing is lost",
                evidence: #"{"job_id": 2}"#,
                total: 9
            ),
            Violation(invariant: "I4", rule: "a write", evidence: "{}"),
        ]
        #expect(!report.hasHeld)
        #expect(
            report.text.hasPrefix(
                """
                I2: a thing is lost (round 2, seed 7, 9 in all)
                    {"job_id": 1}
                    {"job_id": 2}
                I4: a write (round 2, seed 7, 1 in all)
                    {}
                0 rounds,
                """
            )
        )
        #expect(report.text.hasSuffix(": I2, I4 broken\n"))
        #expect(report.json.contains(#""held":false"#))
        #expect(report.json.contains(#""broken_in":"round 2""#))
    }
}
