import Postgres
import TestSupport
import Threading

/// A database with the schema and a superuser's connection to it, with the queue's functions as methods.
///
/// Not Sendable: concurrent tests make one with ``another()`` for each thread.
final class QueueFixture {
    /// What a daemon got from `claim_shards`.
    struct Lease: Hashable, Sendable {
        let shard: Int
        let token: Int
        let job: Int
        let attempts: Int
        let firstItem: Int
        /// `item_index` of the items still to do.
        let items: [Int]
    }

    let database: TemporaryDatabase
    let connection: Connection

    convenience init() throws {
        try self.init(database: TemporaryDatabase.migrated())
    }

    init(database: TemporaryDatabase, url: String? = nil) throws {
        self.database = database
        connection = try Connection(
            url: url ?? database.url,
            applicationName: "tests",
            options: .patient
        )
    }

    /// A fixture on the same database with a connection of its own.
    func another() throws -> QueueFixture { try QueueFixture(database: database) }

    /// A fixture on the same database, logged in as a new member of the roles.
    func login(_ roles: String...) throws -> QueueFixture {
        try QueueFixture(database: database, url: database.makeLogin(memberOf: roles))
    }

    // MARK: - Submitting

    /// Enqueues `point_score` items that differ, and returns the job's number.
    @discardableResult
    func enqueue(
        items: Int = 1,
        options: String = "{}",
        model: String = "m",
        queue: String = "default",
        priority: Int = 0,
        runIn: String = "0 s",
        key: String? = nil
    ) throws -> Int {
        try number(
            """
            SELECT rewardd.enqueue('point_score', (
                SELECT jsonb_agg(jsonb_build_object('caption', 'caption ' || i, 'image', i || '.png'))
                FROM generate_series(1, \(items)) AS i), 'image_generation', \(model),
                \(options)::jsonb, \(queue), \(priority)::int, now() + \(runIn)::interval, \(key)
            ) AS value
            """
        )
    }

    func cancel(_ job: Int, force: Bool = false) throws -> String {
        try text("SELECT rewardd.cancel(\(job), 'test', \(force)) AS value")
    }

    func hold(_ job: Int) throws -> String {
        try text("SELECT rewardd.hold(\(job), 'test') AS value")
    }

    func release(_ job: Int) throws -> String {
        try text("SELECT rewardd.release(\(job)) AS value")
    }

    func retry(_ job: Int) throws -> Int {
        try number("SELECT rewardd.retry(\(job)) AS value")
    }

    // MARK: - Working

    func register(models: [String] = ["m"], queues: [String] = ["default"]) throws -> Int {
        try number(
            "SELECT rewardd.register_daemon('host', 1, 'test', \(models), \(queues)) AS value"
        )
    }

    func claim(
        _ daemon: Int,
        max: Int = 1,
        models: [String] = ["m"],
        queues: [String] = ["default"]
    ) throws -> [Lease] {
        try connection.execute(
            """
            SELECT c.*, ARRAY(SELECT e ->> 'index' FROM jsonb_array_elements(c.items) AS e) AS open
            FROM rewardd.claim_shards(\(daemon), \(models), \(queues), \(max)::int) AS c
            """
        ).map { row in
            Lease(
                shard: try row.int("shard_id"),
                token: try row.int("lease_token"),
                job: try row.int("job_id"),
                attempts: try row.int("attempts"),
                firstItem: try row.int("first_item"),
                items: try row.textArray("open").compactMap { Int($0) }
            )
        }
    }

    /// Checkpoints results: completed items first, then failed ones.
    func checkpoint(
        _ lease: Lease,
        completed: [Int] = [],
        failed: [Int] = [],
        judgements: String = "[]"
    ) throws -> String {
        let results =
            completed.map { #"{"item_index":\#($0),"state":"completed","result":{"score":3}}"# }
            + failed.map {
                #"{"item_index":\#($0),"state":"failed","error_code":"broken","error":"why"}"#
            }
        return try checkpoint(
            lease,
            judgements: judgements,
            results: "[" + results.joined(separator: ",") + "]"
        )
    }

    func checkpoint(_ lease: Lease, judgements: String, results: String) throws -> String {
        try text(
            """
            SELECT rewardd.checkpoint(
                \(lease.shard), \(lease.token), \(judgements)::jsonb, \(results)::jsonb) AS value
            """
        )
    }

    func finish(
        _ lease: Lease,
        _ outcome: String,
        error: String? = nil,
        retryIn: String = "0 s"
    ) throws -> String {
        try text(
            """
            SELECT rewardd.finish_shard(
                \(lease.shard), \(lease.token), \(outcome), \(error), \(retryIn)::interval) AS value
            """
        )
    }

    /// Lets the daemon's lease end and rescues; returns the number of shards taken from it.
    @discardableResult
    func kill(_ daemon: Int) throws -> Int {
        try connection.execute(
            "UPDATE rewardd.daemon SET lease_until = '-infinity' WHERE daemon_id = \(daemon)"
        )
        return try number("SELECT rewardd.rescue() AS value")
    }

    // MARK: - Looking

    /// A job as `state total done failed`.
    func status(_ job: Int) throws -> String {
        try text(
            """
            SELECT concat_ws(' ', state, items_total, items_done, items_failed) AS value
            FROM rewardd.job_status WHERE job_id = \(job)
            """
        )
    }

    /// The job's shards as `state first+count done failed attempts crashes`, in order.
    func shards(_ job: Int) throws -> [String] {
        try list(
            """
            SELECT format('%s %s+%s d%s f%s a%s c%s', state, first_item, item_count, items_done,
                items_failed, attempts, crashes) AS value
            FROM rewardd.shard WHERE job_id = \(job) ORDER BY shard_id
            """
        )
    }

    /// The job's results as `index state code`, in order.
    func results(_ job: Int) throws -> [String] {
        try list(
            """
            SELECT concat_ws(' ', item_index, state, error_code) AS value
            FROM rewardd.result WHERE job_id = \(job) ORDER BY item_index
            """
        )
    }

    func events(_ job: Int) throws -> [String] {
        try list(
            """
            SELECT type AS value FROM rewardd.job_event WHERE job_id = \(job) ORDER BY event_id
            """
        )
    }

    // MARK: - Plain statements

    func number(_ query: Query) throws -> Int {
        try connection.execute(query).only().int("value")
    }

    func text(_ query: Query) throws -> String {
        try connection.execute(query).only().text("value")
    }

    func list(_ query: Query) throws -> [String] {
        try connection.execute(query).map { try $0.text("value") }
    }

    /// The error a statement is refused with, nil if it is not.
    func refusal(_ body: () throws -> Void) throws -> PostgresError? {
        do {
            try body()
            return nil
        } catch let error as PostgresError {
            return error
        }
    }
}

/// Runs the body on as many threads at once and rethrows the first error.
func onThreads<Value: Sendable>(
    _ count: Int,
    _ body: @escaping @Sendable (Int) throws -> Value
) throws -> [Value] {
    let outcomes = Outcomes<Value>()
    let threads = (0..<count).map { index in
        NamedThread(name: "test-\(index)") {
            outcomes.add(Result { try body(index) })
        }
    }
    for thread in threads { thread.join() }
    return try outcomes.all.map { try $0.get() }
}
