import Testing

@testable import rewardctl

@Suite("the report of rewardctl doctor")
struct DoctorReportTests {
    private func makeFinding(
        _ severity: Finding.Severity,
        subject: String = "thing",
        check: String = "shards",
        statement: String? = nil
    ) -> Finding {
        Finding(
            severity: severity,
            check: check,
            subject: subject,
            expected: "e",
            found: "f",
            remedy: "r",
            statement: statement
        )
    }

    @Test("lists the worst first and counts what it lists")
    func order() {
        let report = ExaminationReport(
            checks: ["clock", "shards"],
            findings: [
                makeFinding(.note), makeFinding(.warning), makeFinding(.notChecked),
                makeFinding(.problem), makeFinding(.warning),
            ]
        )
        #expect(
            report.findings.map(\.severity) == [.problem, .warning, .warning, .note, .notChecked]
        )
        #expect(report.summary == "2 checks: 1 problem, 2 warnings, 1 note, 1 not checked.")
        #expect(!report.isHealthy)
    }

    @Test("is healthy with notes and with what could not be checked")
    func healthy() {
        let report = ExaminationReport(
            checks: ["clock"],
            findings: [makeFinding(.notChecked), makeFinding(.note)]
        )
        #expect(report.isHealthy)
        #expect(report.summary == "1 check: nothing wrong, 1 note, 1 not checked.")
    }

    @Test("shows twenty findings of a check and says where the rest is")
    func cutOff() {
        let report = ExaminationReport(
            checks: ["clock", "shards"],
            findings: (0..<33).map { makeFinding(.problem, subject: "\($0)") }
                + [makeFinding(.problem, subject: "x", check: "clock")]
        )
        let lines = report.lines
        #expect(lines.contains("problem: 19"))
        #expect(!lines.contains("problem: 20"))
        #expect(lines.contains("problem: x"))
        #expect(lines.last == "13 more of shards: 'rewardctl doctor --json' prints them.")
    }

    @Test("shows a statement of one line, counts those of a long one, and hides control characters")
    func statements() {
        #expect(makeFinding(.problem, statement: "SELECT 1").lines.last == "            SELECT 1")
        #expect(
            makeFinding(.problem, statement: "a\nb\nc").lines.last
                == "            (3 lines of SQL, printed by 'rewardctl doctor --json')"
        )
        #expect(makeFinding(.problem, subject: "a\u{1B}[2Jb").lines.first == "problem: a [2Jb")
    }

    @Test("tells long definitions apart by the first line that differs")
    func difference() {
        #expect(SchemaFault.difference("int", "text") == ("int", "text"))
        #expect(
            SchemaFault.difference("a\n  b\nc", "a\n  x\nc") == ("line 2: b", "line 2: x")
        )
        #expect(SchemaFault.difference("a\nb", "a") == ("line 2: b", "no line 2"))
    }
}
