package import FailPoints

/// What a run of chaos came to.
package struct ChaosReport: Sendable {
    /// Where the first broken invariant showed.
    package enum Place: Sendable, Equatable {
        case round(Int)
        /// After the faults, when every job had to end.
        case end

        /// How a report names it.
        package var text: String {
            switch self {
            case .round(let number): "round \(number)"
            case .end: "at the end"
            }
        }
    }

    /// What faults and jobs were drawn from.
    package var seed: UInt64
    /// Rounds played to their end.
    package var rounds = 0
    /// Faults done, by kind; one that met no running daemon is not counted.
    package var faults: [FaultKind: Int] = [:]
    /// What somebody else did to the daemons and the server meanwhile.
    package var outside: [FaultKind: Int] = [:]
    /// Faults that met no running daemon.
    package var missed = 0
    /// How often daemons killed or froze themselves at each fail point.
    package var sprung: [FailPoint: Int] = [:]
    /// Answers of the server that were lost with their connection.
    package var lostReplies = 0
    /// Jobs, items and results in the end.
    package var jobs = 0
    /// Items of all jobs.
    package var items = 0
    /// Stored judgements.
    package var judgements = 0
    /// Shards taken from dead daemons.
    package var rescues = 0
    /// For every daemon killed while others could notice: seconds until they had.
    package var killNoticed: [Double] = []
    /// The same where for a while nobody could: the others were frozen, cut off, down or reconnecting, or the
    /// killed one was cut off, so that the server did not know.
    package var killNoticedLate: [Double] = []
    /// For every daemon frozen: seconds until others had noticed; the lease is 15.
    package var freezeNoticed: [Double] = []
    /// Answers of scripted engines, and how many of them for a second time; nil with a real model.
    package var answers: Int?
    /// See `answers`.
    package var repeats: Int?
    /// What client calls were refused, by SQLSTATE.
    package var refusals: [String: Int] = [:]
    /// Processes of daemons started.
    package var daemonStarts = 0
    /// Audits made.
    package var audits = 0
    /// Seconds of the whole run.
    package var seconds = 0.0
    /// What was broken; empty when all held.
    package var violations: [Violation] = []
    /// Where, when something was.
    package var place: Place?
    /// What kept the run from going on, such as a server that does not come back; nothing is known to be broken.
    package var obstacle: String?
    /// Whether Ctrl-C ended it early.
    package var isInterrupted = false

    /// A run that has not begun.
    package init(seed: UInt64) { self.seed = seed }

    /// Whether every invariant held to the end.
    package var hasHeld: Bool { violations.isEmpty && !isInterrupted && obstacle == nil }

    /// What is printed: violations first, the sum in the last line.
    package var text: String { violationText + summary + "\n" }

    /// The last line.
    package var summary: String {
        var parts = ["\(rounds) rounds", "\(Self.counted(faults)) faults (\(Self.kinds(faults)))"]
        if !outside.isEmpty {
            parts.append("\(Self.counted(outside)) from outside (\(Self.kinds(outside)))")
        }
        parts += [
            "\(sprung.values.reduce(0, +)) fail points met", "\(lostReplies) replies lost",
            "\(jobs) jobs", "\(items) items", "\(judgements) judgements",
        ]
        var rescue = "\(rescues) rescues"
        if let median = Self.median(killNoticed), let most = killNoticed.max() {
            rescue +=
                ", a killed daemon noticed in \(Self.rounded(median)) s"
                + " (at most \(Self.rounded(most)) s)"
        }
        parts.append(rescue)
        if let answers, let repeats { parts.append("\(repeats) of \(answers) answers given again") }
        return parts.joined(separator: ", ") + ", seed \(seed), \(Int(seconds)) s: " + verdict
    }

    private static func counted(_ faults: [FaultKind: Int]) -> Int { faults.values.reduce(0, +) }

    private static func kinds(_ faults: [FaultKind: Int]) -> String {
        FaultKind.allCases.compactMap { kind in faults[kind].map { "\(kind.rawValue) \($0)" } }
            .joined(separator: ", ")
    }

    private var verdict: String {
        if isInterrupted { return "interrupted" }
        if let obstacle { return "could not go on: \(obstacle)" }
        if violations.isEmpty { return answers == nil ? "I1, I2, I4-I7 held" : "I1-I7 held" }
        let names = Set(violations.map(\.invariant)).sorted().joined(separator: ", ")
        return "\(names) broken"
    }

    private var violationText: String {
        guard let place, !violations.isEmpty else { return "" }
        var text = ""
        var last = ""
        for violation in violations {
            let title = "\(violation.invariant): \(violation.rule)"
            if title != last {
                text += "\(title) (\(place.text), seed \(seed), \(violation.total) in all)\n"
            }
            text += "    \(violation.evidence)\n"
            last = title
        }
        return text
    }

    private static func median(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }

    static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
