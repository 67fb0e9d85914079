import Postgres

@testable import Migrations

/// What the functions of `rewardctl doctor` say, as short lines.
extension QueueFixture {
    /// `check_schema()` as `fault kind name`, in its order.
    func schemaFaults() throws -> [String] {
        try list(
            "SELECT concat_ws(' ', c.fault, c.kind, c.name) AS value FROM rewardd.check_schema() c"
        )
    }

    /// `check_shards()` as `fault job shard daemon`, without what is NULL.
    func shardFaults(patience: String = "30 minutes") throws -> [String] {
        try list(
            """
            SELECT concat_ws(' ', c.fault, c.job_id, c.shard_id, c.daemon_id) AS value
            FROM rewardd.check_shards(\(patience)::interval) c
            """
        )
    }

    /// `check_queues()` as `fault queue model shards`, in its order.
    func queueFaults() throws -> [String] {
        try list(
            """
            SELECT concat_ws(' ', c.fault, c.queue, c.model, c.shards) AS value
            FROM rewardd.check_queues() c
            """
        )
    }

    /// Runs every repair that `check_schema()` gives, as the role that its manual page names.
    func repairSchema() throws {
        let repairs = try list(
            """
            SELECT CASE WHEN c.fault = 'owner' THEN '' ELSE 'SET ROLE rewardd_owner; ' END
                || c.repair || '; RESET ROLE' AS value
            FROM rewardd.check_schema() c
            WHERE c.repair IS NOT NULL
            """
        )
        for repair in repairs { try connection.executeScript(repair) }
    }

    /// Applies a migration that comes after those of this build.
    func apply(_ sql: String) throws {
        let migration = Migration(
            file: "\(MigrationCatalog.latest + 1)_try.sql",
            bytes: Array(sql.utf8)
        )
        try connection.execute(Query(script: MigrationPlan.statement(for: migration)))
    }
}
