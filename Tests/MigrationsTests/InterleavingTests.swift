import Postgres
import TestSupport
import Testing

/// Every order of up to five steps by two daemons and an operator, over a small job.
///
/// Runs in one transaction with a savepoint for each step, and skips what it has seen: a state
/// reached again with no more steps left than before leads nowhere new. What breaks silently
/// without it: a counter that drifts, an item in no shard or in two, a job that never ends.
@Suite("interleavings")
struct InterleavingTests {
    private enum Step: Int, CaseIterable, Comparable {
        case claim, complete, failItem, done, retryShard, release, die
        case cancel, force, hold, releaseJob, retryJob

        /// What the operator does, and no daemon.
        var isSteering: Bool { self >= .cancel }

        static func < (one: Step, other: Step) -> Bool { one.rawValue < other.rawValue }
    }

    private struct World {
        var daemons: [Int]
        var leases: [QueueFixture.Lease?] = [nil, nil]
        var path: [String] = []
        /// The snapshot before the step.
        var before = ""
    }

    private final class Search {
        let queue: QueueFixture
        let job: Int
        var seen: [String: Int] = [:]
        var states = 0
        var failures: [String] = []

        init(items: Int, shardSize: Int) throws {
            queue = try QueueFixture()
            job = try queue.enqueue(
                items: items,
                options: #"{"shard_size": \#(shardSize), "max_attempts": 2}"#
            )
        }
    }

    @Test("keep every invariant", arguments: [(2, 5), (3, 4)])
    func all(items: Int, steps: Int) throws {
        let search = try Search(items: items, shardSize: 2)
        try search.queue.connection.execute("BEGIN")
        let daemons = [try search.queue.register(), try search.queue.register()]
        try explore(search, World(daemons: daemons), stepsLeft: steps)
        #expect(search.failures.isEmpty, "\(search.failures.prefix(3))")
        #expect(search.states > 200)
        try search.queue.connection.execute("ROLLBACK")
    }

    private func explore(_ search: Search, _ world: World, stepsLeft: Int) throws {
        let key = try snapshot(search, world)
        if let before = search.seen[key], before >= stepsLeft { return }
        if search.seen.updateValue(stepsLeft, forKey: key) == nil {
            search.states += 1
            try check(search, world)
        }
        guard stepsLeft > 0 else { return }
        var world = world
        world.before = key
        for actor in 0..<2 {
            for step in Step.allCases where actor == 0 || !step.isSteering {
                var next = world
                next.path.append("\(step) \(actor)")
                try search.queue.connection.execute("SAVEPOINT step")
                if try perform(step, actor, search, &next) {
                    try explore(search, next, stepsLeft: stepsLeft - 1)
                }
                try search.queue.connection.execute("ROLLBACK TO SAVEPOINT step")
                // Savepoints of one name stack up; this one is spent.
                try search.queue.connection.execute("RELEASE SAVEPOINT step")
            }
        }
    }

    /// Does the step and returns whether it changed anything; a refusal changes nothing.
    private func perform(
        _ step: Step,
        _ actor: Int,
        _ search: Search,
        _ world: inout World
    ) throws -> Bool {
        let queue = search.queue
        do {
            switch step {
            case .claim:
                guard let lease = try queue.claim(world.daemons[actor]).first else { return false }
                world.leases[actor] = lease
                return true
            case .die:
                guard try queue.kill(world.daemons[actor]) > 0 else { return false }
                // It comes back as another daemon but remembers its old lease: a zombie.
                world.daemons[actor] = try queue.register()
                return true
            case .cancel: return try queue.cancel(search.job) != ""
            case .force: return try queue.cancel(search.job, force: true) != ""
            case .hold: return try queue.hold(search.job) != ""
            case .releaseJob: return try queue.release(search.job) != ""
            case .retryJob: return try queue.retry(search.job) > 0
            case .complete, .failItem, .done, .retryShard, .release:
                guard let lease = world.leases[actor] else { return false }
                return try write(step, lease, search, world)
            }
        } catch let error as PostgresError {
            if error.sqlState != .wrongState {
                search.failures.append("\(world.path): \(error)")
            }
            return false
        }
    }

    private func write(
        _ step: Step,
        _ lease: QueueFixture.Lease,
        _ search: Search,
        _ world: World
    ) throws -> Bool {
        let queue = search.queue
        let reply: String
        switch step {
        case .complete, .failItem:
            let finished = try queue.results(search.job).compactMap { Int($0.prefix { $0 != " " }) }
            // A replay where nothing is open.
            let items = (lease.items.first { !finished.contains($0) } ?? lease.items.first).map {
                [$0]
            }
            reply =
                step == .complete
                ? try queue.checkpoint(lease, completed: items ?? [])
                : try queue.checkpoint(lease, failed: items ?? [])
        case .done: reply = try queue.finish(lease, "done")
        case .retryShard: reply = try queue.finish(lease, "retry")
        default: reply = try queue.finish(lease, "release")
        }
        guard reply == "lost" else { return true }
        if try snapshot(search, world) != world.before {
            search.failures.append("\(world.path): lost, but wrote")
        }
        return false
    }

    /// Everything that decides what can happen next, with tokens by their holder.
    private func snapshot(_ search: Search, _ world: World) throws -> String {
        let tokens = world.leases.map { $0?.token ?? 0 }
        let line = try search.queue.text(
            """
            SELECT concat(j.state, j.cancel_requested_at IS NULL, j.held_at IS NULL, (
                SELECT string_agg(concat_ws(',', s.shard_id, s.state, s.first_item, s.item_count,
                    s.attempts, s.crashes, s.items_done, s.items_failed, s.cancel_requested,
                    s.lease_token = \(tokens[0]), s.lease_token = \(tokens[1]),
                    s.lease_token IS NULL), ';' ORDER BY s.first_item, s.shard_id)
                FROM rewardd.shard s WHERE s.job_id = j.job_id
            ), (
                SELECT string_agg(r.item_index || r.state, ';' ORDER BY r.item_index)
                FROM rewardd.item_result r WHERE r.job_id = j.job_id
            )) AS value FROM rewardd.job j WHERE j.job_id = \(search.job)
            """
        )
        // A lease that is worth nothing any more differs only in which items it would write.
        return line + "\(world.leases.map { $0?.items ?? [] })"
    }

    private func check(_ search: Search, _ world: World) throws {
        let broken = try search.queue.list(
            """
            WITH s AS (SELECT * FROM rewardd.shard WHERE job_id = \(search.job)),
            live AS (SELECT * FROM s WHERE state IN ('scheduled', 'ready', 'held', 'running')),
            r AS (SELECT * FROM rewardd.item_result WHERE job_id = \(search.job)),
            j AS (SELECT * FROM rewardd.job WHERE job_id = \(search.job)),
            holders AS (
                SELECT i.item_index, count(l.shard_id) AS shards, count(r.item_index) AS results
                FROM rewardd.item i
                LEFT JOIN r ON r.item_index = i.item_index
                LEFT JOIN live l
                    ON i.item_index BETWEEN l.first_item AND l.first_item + l.item_count - 1
                WHERE i.job_id = \(search.job)
                GROUP BY i.item_index
            )
            SELECT problem AS value FROM (VALUES
                ('running without token', EXISTS (
                    SELECT FROM s WHERE (state = 'running') <> (lease_token IS NOT NULL))),
                ('done drifts', (SELECT sum(items_done) FROM s)
                    <> (SELECT count(*) FROM r WHERE state = 'completed')),
                ('failed drifts', (SELECT sum(items_failed) FROM s)
                    <> (SELECT count(*) FROM r WHERE state = 'failed')),
                ('shard over-full', EXISTS (
                    SELECT FROM s WHERE items_done + items_failed > item_count)),
                ('attempts out of range', EXISTS (
                    SELECT FROM s WHERE attempts NOT BETWEEN 0 AND max_attempts)),
                ('item in two live shards', EXISTS (SELECT FROM holders WHERE shards > 1)),
                ('item in no live shard', EXISTS (
                    SELECT FROM j, holders h
                    WHERE j.finished_at IS NULL AND j.cancel_requested_at IS NULL
                        AND h.results = 0 AND h.shards = 0)),
                ('ended with live shards', EXISTS (
                    SELECT FROM j, live WHERE j.finished_at IS NOT NULL)),
                ('live without shards', EXISTS (SELECT FROM j WHERE finished_at IS NULL)
                    AND NOT EXISTS (SELECT FROM live)),
                ('ended without results', EXISTS (
                    SELECT FROM j, holders h
                    WHERE j.state IN ('completed', 'failed') AND h.results = 0)),
                ('totals differ', EXISTS (
                    SELECT FROM j WHERE finished_at IS NOT NULL AND (
                        items_done <> (SELECT count(*) FROM r WHERE state = 'completed')
                        OR items_failed <> (SELECT count(*) FROM r WHERE state = 'failed')))),
                ('state and finished_at differ', EXISTS (
                    SELECT FROM j WHERE (finished_at IS NOT NULL)
                        <> (state IN ('completed', 'failed', 'cancelled')))),
                ('held, but open to a claim', EXISTS (
                    SELECT FROM j, s
                    WHERE j.held_at IS NOT NULL AND s.state IN ('scheduled', 'ready'))),
                ('shard held without its job', EXISTS (
                    SELECT FROM j, s WHERE j.held_at IS NULL AND s.state = 'held')),
                ('state and held_at differ', EXISTS (
                    SELECT FROM j WHERE (held_at IS NOT NULL) <> (state = 'held'))),
                ('failed with a completed item', EXISTS (
                    SELECT FROM j, r WHERE j.state = 'failed' AND r.state = 'completed'))
            ) AS p (problem, found) WHERE found
            """
        )
        for problem in broken { search.failures.append("\(world.path): \(problem)") }
    }
}
