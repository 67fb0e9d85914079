import FailPoints
import JSONReading

extension ChaosReport {
    /// One JSON document.
    package var json: String {
        var members: [JSONNode.Member] = []
        func add(_ name: String, _ value: JSONNode) {
            members.append(JSONNode.Member(name: name, value: value))
        }
        add("seed", .number(String(seed)))
        add("held", .bool(hasHeld))
        add("interrupted", .bool(isInterrupted))
        add("obstacle", .optional(obstacle))
        add("rounds", .int(Int64(rounds)))
        add("seconds", Self.number(seconds))
        add("faults", Self.counts(FaultKind.allCases.map { ($0.rawValue, faults[$0] ?? 0) }))
        add(
            "faults_from_outside",
            Self.counts(FaultKind.allCases.map { ($0.rawValue, outside[$0] ?? 0) })
        )
        add("faults_missed", .int(Int64(missed)))
        add(
            "fail_points",
            Self.counts(FailPoint.allCases.map { ($0.rawValue, sprung[$0] ?? 0) })
        )
        add("replies_lost", .int(Int64(lostReplies)))
        add("jobs", .int(Int64(jobs)))
        add("items", .int(Int64(items)))
        add("judgements", .int(Int64(judgements)))
        add("rescues", .int(Int64(rescues)))
        add("kill_noticed_s", .array(killNoticed.map(Self.number)))
        add("kill_noticed_late_s", .array(killNoticedLate.map(Self.number)))
        add("freeze_noticed_s", .array(freezeNoticed.map(Self.number)))
        add("answers", Self.optional(answers))
        add("answers_repeated", Self.optional(repeats))
        add("refusals", Self.counts(refusals.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
        add("daemon_starts", .int(Int64(daemonStarts)))
        add("audits", .int(Int64(audits)))
        add("broken_in", .optional(place?.text))
        add("violations", .array(violations.map(Self.node)))
        return JSONNode.object(members).json
    }

    private static func node(_ violation: Violation) -> JSONNode {
        .object([
            "invariant": .string(violation.invariant),
            "rule": .string(violation.rule),
            "evidence": .string(violation.evidence),
            "total": .int(Int64(violation.total)),
        ])
    }

    private static func counts(_ values: [(name: String, count: Int)]) -> JSONNode {
        .object(values.map { JSONNode.Member(name: $0.name, value: .int(Int64($0.count))) })
    }

    private static func number(_ value: Double) -> JSONNode { .number(String(rounded(value))) }

    private static func optional(_ value: Int?) -> JSONNode {
        guard let value else { return .null }
        return .int(Int64(value))
    }
}
