import JSONReading
import Migrations
import Postgres

// MARK: - Schema

extension Examination {
    /// The version of the schema, 0 when there is none.
    func schemaVersion() throws(PostgresError) -> Int {
        do throws(PostgresError) {
            return try api.toldSchemaVersion()
        } catch {
            guard [.invalidSchemaName, .undefinedFunction].contains(error.sqlState) else {
                throw error
            }
            return 0
        }
    }

    /// Whether the schema is of the version that this binary makes.
    func versionFindings(_ version: Int) -> [Finding] {
        let latest = MigrationCatalog.latest
        guard version != latest else { return [] }
        return [
            Finding(
                severity: .problem,
                check: "schema_version",
                subject: "schema rewardd",
                expected: "version \(latest), which this rewardctl knows",
                found: version == 0 ? "no schema with a version" : "version \(version)",
                remedy: version < latest
                    ? "Run 'rewardctl migrate'." : "Use the rewardctl of the newer release."
            )
        ]
    }

    /// What of the schema is not as the migrations left it.
    func schemaFindings() throws -> [Finding] {
        let faults = try api.schemaFaults().map(SchemaFault.init)
        let compared = faults.filter { $0.fault != "not_compared" }
        let others = Int64(faults.count - compared.count)
        if others == 0 { return compared.map(\.finding) }
        let note = Finding(
            severity: .note,
            check: "schema_objects",
            subject: "schema rewardd",
            expected: "definitions recorded under this major version of PostgreSQL",
            found: "\(NumberText.counted(others, "object")) recorded under another one, which may "
                + "word them differently: only their presence was checked",
            remedy: "The next migration records them anew. To do so now, when they are known to be "
                + "good, run the statement as a member of rewardd_owner.",
            statement: "SET ROLE rewardd_owner; SELECT rewardd._record_objects()"
        )
        return compared.map(\.finding) + [note]
    }
}
