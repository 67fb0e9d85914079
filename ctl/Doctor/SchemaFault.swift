import JSONReading

/// A row of `rewardd.check_schema()`, as a finding.
struct SchemaFault {
    let kind: String
    let name: String
    /// `missing`, `changed`, `unexpected`, `owner`, `public`, `invalid` or `not_compared`.
    let fault: String
    /// Its definition or owner as recorded; nil when there is none.
    let expected: String?
    /// Its definition or owner now; nil when there is none.
    let found: String?
    /// The statements that put it right.
    let repair: String?

    init(_ row: JSONNode) {
        kind = row["kind"]?.cell ?? ""
        name = row["name"]?.cell ?? ""
        fault = row["fault"]?.cell ?? ""
        expected = row["expected"]?.text
        found = row["found"]?.text
        repair = row["repair"]?.text
    }

    /// For the report.
    var finding: Finding {
        let (expected, found) = texts
        return Finding(
            severity: severity,
            check: "schema_objects",
            subject: "\(kind) \(name)",
            expected: expected,
            found: found,
            remedy: remedy,
            statement: repair.map { fault == "owner" ? $0 : "SET ROLE rewardd_owner; " + $0 }
        )
    }

    private var severity: Finding.Severity {
        guard fault == "unexpected" else { return .problem }
        switch kind {
        // An index more costs time at every write, no more.
        case "index": return .note
        case "grant": return grantSeverity
        default: return .warning
        }
    }

    /// Rights of PUBLIC open the schema to everybody; rights to read given to a role of the
    /// operator's own are the operator's business.
    private var grantSeverity: Finding.Severity {
        if name.hasSuffix(" to PUBLIC") { return .problem }
        let reads = ["SELECT", "USAGE", "EXECUTE"].contains { name.hasPrefix($0) }
        return reads && !name.contains(" on function _") ? .note : .warning
    }

    private var texts: (expected: String, found: String) {
        switch fault {
        case "missing": (Self.brief(expected) ?? "that it is there", "missing")
        case "changed": Self.difference(expected ?? "", found ?? "")
        case "unexpected": ("none: no migration made it", Self.brief(found) ?? "one")
        case "owner": ("owner \(expected ?? "rewardd_owner")", "owner \(found ?? "unknown")")
        case "public": ("no right for PUBLIC", Self.brief(found) ?? "one")
        case "invalid": ("a valid index", "invalid: its building was cut off, no query uses it")
        default: ("as the migrations left it", fault)
        }
    }

    private var remedy: String {
        if fault == "owner" { return "Run the statement as a superuser." }
        if fault == "unexpected" {
            return "Remove it by the statement, as a member of rewardd_owner, unless it is wanted."
        }
        if repair != nil { return "Run the statement as a member of rewardd_owner." }
        return fault == "missing"
            ? "Restore the database from a backup: what it held is lost."
            : "Change it back by ALTER \(kind == "type" ? "TYPE" : "TABLE"), as a member of "
                + "rewardd_owner."
    }

    /// A definition of one short line; nil for longer ones.
    private static func brief(_ definition: String?) -> String? {
        guard let definition, !definition.isEmpty, !definition.contains("\n"),
            definition.count <= Finding.shownStatementLength
        else { return nil }
        return definition
    }

    /// Two definitions, or where they are long the first lines in which they differ.
    static func difference(_ expected: String, _ found: String) -> (String, String) {
        if let expected = brief(expected), let found = brief(found) { return (expected, found) }
        let before = expected.split(separator: "\n", omittingEmptySubsequences: false)
        let now = found.split(separator: "\n", omittingEmptySubsequences: false)
        let same = zip(before, now).prefix { $0 == $1 }.count
        func line(_ lines: [Substring]) -> String {
            guard same < lines.count else { return "no line \(same + 1)" }
            let text = lines[same].drop { $0 == " " }
            return "line \(same + 1): \(DisplayWidth.truncate(String(text), to: 120))"
        }
        return (line(before), line(now))
    }
}
