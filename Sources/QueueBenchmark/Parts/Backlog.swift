import Postgres

/// A database with shards in some state.
struct Backlog {
    /// Items of one job: what one call of enqueue takes in reasonable time.
    private static let chunk = 50_000

    let database: BenchmarkDatabase
    let plain: PlainUpdate
    private let submitter: Connection
    private let superuser: Connection

    /// An empty one.
    init(_ name: String, _ stage: BenchmarkStage) throws {
        database = try stage.makeDatabase(name)
        plain = try PlainUpdate(database)
        submitter = try database.connect(BenchmarkStage.submitter)
        superuser = try database.superuser()
    }

    /// Submits shards of one item each, to start so many hours from now.
    func fill(_ count: Int, delay: Int = 0, _ steps: BenchmarkSteps) throws {
        for first in stride(from: 0, to: count, by: Self.chunk) {
            try steps.check()
            let items = database.items(min(Self.chunk, count - first), from: first)
            try database.enqueue(submitter, items: items, shardSize: 1, delay: delay)
        }
        // Writing all that out is not what the next samples are about.
        try superuser.execute("CHECKPOINT")
    }

    /// Brings everything to its end at once, as the functions would one by one.
    func finishAll() throws {
        try superuser.executeScript(
            """
            INSERT INTO rewardd.item_result
                (job_id, item_index, state, result, lease_token)
                SELECT i.job_id, i.item_index, 'completed', '{}', 1 FROM rewardd.item i;
            UPDATE rewardd.shard
                SET state = 'done', attempts = 1, items_done = item_count, daemon_id = 1,
                    claimed_at = clock_timestamp(), progress_at = clock_timestamp();
            UPDATE rewardd.job
                SET state = 'completed', started_at = run_at, finished_at = clock_timestamp(),
                    items_done = items_total
            """
        )
        // Work that ends over an hour is cleaned up as it goes; this has all ended in one transaction.
        try superuser.executeScript("VACUUM rewardd.shard")
        try superuser.executeScript("VACUUM rewardd.job")
        try superuser.execute("CHECKPOINT")
    }
}
