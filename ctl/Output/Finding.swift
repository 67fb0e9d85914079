import JSONReading

/// One thing that `rewardctl doctor` found: what is wrong, and what to do about it.
struct Finding: Equatable {
    /// How bad it is.
    enum Severity: String, CaseIterable {
        /// Work stops, or is refused, or may be lost.
        case problem
        /// Work goes on, worse than it should.
        case warning
        /// Nothing is wrong; worth knowing.
        case note
        /// This role, or this version of the schema, does not let us look.
        case notChecked = "not_checked"

        /// Whether the database is not well: what makes the command exit with 1.
        var isFault: Bool { self == .problem || self == .warning }
    }

    var severity: Severity
    /// The check that found it, one of `Examination.checks`.
    var check: String
    /// What it is about, such as `index shard_ready`.
    var subject: String
    /// How it should be.
    var expected: String
    /// How it is.
    var found: String
    /// What to do, one sentence or two.
    var remedy: String
    /// The SQL that the remedy speaks of, if any.
    var statement: String?

    /// Longer statements are shown by `--json` only.
    static let shownStatementLength = 300

    /// For people: the subject, then what is known of it.
    var lines: [String] {
        let word = severity.rawValue.replacing("_", with: " ")
        var lines = ["\(word): \(Table.printable(subject))"]
        for (label, text) in [("expected", expected), ("found", found), ("remedy", remedy)] {
            lines.append("  \(label.padded(to: 10))\(Table.printable(text))")
        }
        if let shownStatement { lines.append(String(repeating: " ", count: 12) + shownStatement) }
        return lines
    }

    private var shownStatement: String? {
        guard let statement else { return nil }
        if statement.count <= Self.shownStatementLength, !statement.contains("\n") {
            return Table.printable(statement)
        }
        let count = Int64(statement.split(separator: "\n").count)
        return "(\(NumberText.counted(count, "line")) of SQL, printed by 'rewardctl doctor --json')"
    }

    /// The object of `--json`.
    var node: JSONNode {
        .object([
            "severity": .string(severity.rawValue), "check": .string(check),
            "subject": .string(subject), "expected": .string(expected), "found": .string(found),
            "remedy": .string(remedy), "statement": .optional(statement),
        ])
    }
}

extension String {
    /// The text with blanks up to `width`.
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
