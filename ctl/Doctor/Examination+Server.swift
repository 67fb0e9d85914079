import ArgumentParsing
import JSONReading
import Postgres

// MARK: - Server

extension Examination {
    /// What holds back the removal of dead rows: old transactions, open or prepared, and
    /// replication slots.
    func transactionFindings() throws -> [Finding] {
        let sessions = try api.oldTransactions(limit: transactionAge).map(sessionFinding)
        let prepared = try api.oldPreparedTransactions(limit: transactionAge).map(preparedFinding)
        let slots = try api.holdingSlots().map(slotFinding)
        if try api.seesSessions() { return sessions + prepared + slots }
        return sessions + prepared + slots + [
            Finding(
                severity: .notChecked,
                check: "transactions",
                subject: "sessions of other roles",
                expected: "a role that sees what they do",
                found: "this role is not a member of pg_read_all_stats",
                remedy: "Connect as one that is, or let a superuser grant it."
            )
        ]
    }

    private func sessionFinding(_ row: JSONNode) -> Finding {
        let application = row["application"]?.cell ?? ""
        let name = application.isEmpty ? "without application name" : "of \(application)"
        return Finding(
            severity: severity(row),
            check: "transactions",
            subject: "session \(row["pid"]?.cell ?? "") \(name), user \(row["user"]?.cell ?? "")",
            expected: expectedAge,
            found: "\(row["state"]?.cell ?? ""), for \(age(row)) in one transaction",
            remedy: Self.horizonRemedy
                + "End it in its program, or its session by the statement.",
            statement: row["statement"]?.text
        )
    }

    private func preparedFinding(_ row: JSONNode) -> Finding {
        Finding(
            severity: severity(row),
            check: "transactions",
            subject: "prepared transaction '\(row["gid"]?.cell ?? "")', user "
                + "\(row["owner"]?.cell ?? "")",
            expected: expectedAge,
            found: "prepared \(age(row)) ago, not ended",
            remedy: Self.horizonRemedy
                + "Let its transaction manager commit it, or roll it back by the statement, as its "
                + "user or a superuser.",
            statement: row["statement"]?.text
        )
    }

    private func slotFinding(_ row: JSONNode) -> Finding {
        let rows = row["catalog_only"] == .bool(true) ? "rows of the catalogues" : "rows"
        let state = row["active"] == .bool(true) ? "read, but slowly" : "not read by anybody"
        return Finding(
            severity: .warning,
            check: "transactions",
            subject: "replication slot '\(row["name"]?.cell ?? "")'",
            expected: "a reader that keeps up",
            found: "\(state); keeps dead \(rows) of the last "
                + NumberText.counted(row["transactions"]?.integer ?? 0, "transaction"),
            remedy: Self.horizonRemedy
                + "Start its reader, or, when it is not coming back, drop the slot by the statement.",
            statement: row["statement"]?.text
        )
    }

    private static let horizonRemedy =
        "While it stays, vacuum cannot remove what dies, and claims slow down. "

    private var expectedAge: String {
        "no transaction older than \(DurationText.describe(transactionAge))"
    }

    private func age(_ row: JSONNode) -> String { Self.age(row["_age"]?.double ?? 0) }

    private func severity(_ row: JSONNode) -> Finding.Severity {
        (row["_age"]?.double ?? 0) >= transactionAge / .seconds(1) * 12 ? .problem : .warning
    }

    /// Whether dead rows are removed.
    func vacuumFindings() throws -> [Finding] {
        let settings = try api.vacuumSettingsOff().map { name in
            Finding(
                severity: .problem,
                check: "vacuum",
                subject: "setting \(name)",
                expected: "on",
                found: "off: no table is vacuumed",
                remedy: "Run the statement as a superuser, then SELECT pg_reload_conf().",
                statement: "ALTER SYSTEM SET \(name) = on"
            )
        }
        return try settings + api.neglectedTables().map(tableFinding)
    }

    private func tableFinding(_ row: JSONNode) -> Finding {
        let name = row["name"]?.cell ?? ""
        if row["is_on"] == .bool(false) {
            return Finding(
                severity: .problem,
                check: "vacuum",
                subject: "table \(name)",
                expected: "autovacuum on",
                found: "switched off for this table",
                remedy: "Run the statement as a member of rewardd_owner.",
                statement:
                    "ALTER TABLE rewardd.\(Query.quoted(identifier: name)) "
                    + "RESET (autovacuum_enabled)"
            )
        }
        func count(_ member: String) -> String {
            NumberText.grouped(row[member]?.integer ?? 0)
        }
        let last = row["_vacuum_age"]?.double.map { "\(Self.age($0)) ago" } ?? "never"
        return Finding(
            severity: .warning,
            check: "vacuum",
            subject: "table \(name)",
            expected: "autovacuum to start at \(count("threshold")) dead rows and keep up",
            found: "\(count("dead")) dead rows beside \(count("live")) live ones; last vacuumed "
                + last,
            remedy: "Look for old transactions first. Then vacuum by the statement, as a member of "
                + "rewardd_owner; should it come back, raise autovacuum_max_workers.",
            statement: "VACUUM rewardd.\(Query.quoted(identifier: name))"
        )
    }

    /// Whether there is room for more connections.
    func connectionFindings() throws -> [Finding] {
        let (used, limit) = try api.connections()
        guard used * 100 >= limit * 80 else { return [] }
        return [
            Finding(
                severity: used * 100 >= limit * 95 ? .problem : .warning,
                check: "connections",
                subject: "connections of the server",
                expected: "under 80% of \(limit) in use",
                found: "\(used) in use; a daemon that reconnects may be refused",
                remedy:
                    "Look at pg_stat_activity for who holds them; raise max_connections, or put "
                    + "a pooler before the clients."
            )
        ]
    }

    /// Whether this machine's clock and the server's agree.
    func clockFindings() throws -> [Finding] {
        let before = ClockReading.now()
        let server = try api.serverTime()
        return ClockReading(before: before, server: server, after: ClockReading.now()).findings
    }

    /// Whether a notification comes from one connection to another.
    func notificationFindings() throws -> [Finding] {
        var finding = Finding(
            severity: .warning,
            check: "notifications",
            subject: "LISTEN and NOTIFY",
            expected: "a notification on a second connection within "
                + DurationText.describe(notificationPatience),
            found: "",
            remedy: ""
        )
        let listener: SQLAPI
        do {
            listener = try connectAgain()
        } catch let error as PostgresError {
            finding.found = "no second connection: \(error.message)"
            finding.remedy = "Daemons need several: make room for more."
            return [finding]
        }
        if try api.notificationArrives(at: listener, within: notificationPatience) { return [] }
        let isPooled = try api.connection.isPooled()
        finding.found =
            "none" + (isPooled ? "; a pooler stands between, in transaction mode as it seems" : "")
        finding.remedy =
            "Daemons on this address wake up by looking once a second instead, and their death is "
            + "noticed by the end of their lease. Connect them directly."
        return [finding]
    }
}
