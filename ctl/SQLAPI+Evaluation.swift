import JSONReading
import Postgres

/// Answers against labels.
extension SQLAPI {
    /// How a job's answers agree with its items' labels, as `rewardd.evaluate` gives it.
    func evaluate(job: Int64) throws(PostgresError) -> JSONNode {
        let found = try rows("SELECT rewardd.evaluate(\(job)) AS row")
        return found.first ?? .null
    }
}
