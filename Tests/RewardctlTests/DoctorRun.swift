import JSONReading
import Testing

/// A run of `rewardctl doctor --json`.
struct DoctorRun {
    let status: Int32
    /// The findings, worst first.
    let items: [JSONNode]
    /// The names of the checks made.
    let checks: [String]

    /// Runs it on the database at `url`.
    init(_ url: String, _ options: [String] = []) throws {
        let outcome = try RewardctlProcess.run(["doctor", "--json"] + options, url: url)
        #expect(outcome.messages.isEmpty, "\(outcome.messages)")
        let document = try JSONReader.read(Array(outcome.output.utf8))
        status = outcome.status
        guard case .array(let items) = document["items"],
            case .array(let checks) = document["checks"]
        else {
            throw TemporaryFile.Failure(description: "no findings in \(outcome.output)")
        }
        self.items = items
        self.checks = checks.map(\.cell)
    }

    /// The findings as `severity check: subject`.
    var subjects: [String] {
        items.map { item in
            let severity = item["severity"]?.cell ?? ""
            return "\(severity) \(item["check"]?.cell ?? ""): \(item["subject"]?.cell ?? "")"
        }
    }

    /// The member of each finding.
    func texts(_ member: String) -> [String] { items.map { $0[member]?.cell ?? "" } }
}
