import JSONReading

/// What an `Examination` came to, worst first.
struct ExaminationReport {
    /// The checks that were made, in order.
    let checks: [String]
    /// What they found.
    let findings: [Finding]

    /// Lines of one check that are shown to people; the rest is in the JSON document.
    static let shownPerCheck = 20

    init(checks: [String], findings: [Finding]) {
        self.checks = checks
        self.findings = Finding.Severity.allCases.flatMap { severity in
            findings.filter { $0.severity == severity }
        }
    }

    /// Whether nothing is wrong, as far as could be seen.
    var isHealthy: Bool { !findings.contains { $0.severity.isFault } }

    /// For people: each finding, separated by empty lines.
    var lines: [String] {
        var shown: [String: Int] = [:]
        var blocks: [[String]] = []
        for finding in findings {
            shown[finding.check, default: 0] += 1
            if shown[finding.check, default: 0] > Self.shownPerCheck { continue }
            blocks.append(finding.lines)
        }
        for check in checks {
            let rest = shown[check, default: 0] - Self.shownPerCheck
            guard rest > 0 else { continue }
            blocks.append(["\(rest) more of \(check): 'rewardctl doctor --json' prints them."])
        }
        return Array(blocks.joined(separator: [""]))
    }

    /// `10 checks: 1 problem, 2 warnings.`
    var summary: String {
        let counts = Finding.Severity.allCases.compactMap { severity -> String? in
            let count = Int64(findings.count { $0.severity == severity })
            if count == 0 { return nil }
            return severity == .notChecked
                ? "\(count) not checked" : NumberText.counted(count, severity.rawValue)
        }
        return NumberText.counted(Int64(checks.count), "check") + ": "
            + (isHealthy ? ["nothing wrong"] + counts : counts).joined(separator: ", ") + "."
    }

    /// The document of `--json`.
    var json: String {
        JSONNode.object([
            "apiVersion": .string(RecordList.apiVersion),
            "checks": .array(checks.map(JSONNode.string)),
            "items": .array(findings.map(\.node)),
        ]).json
    }
}
