import Glibc
import Postgres
import Staging

/// kill -9 of one of two busy daemons, until the other has claimed every shard that it held; and in the end
/// every item has its one result.
struct RescueBenchmark {
    private let stage: BenchmarkStage
    private let plan: BenchmarkPlan
    private let steps: BenchmarkSteps

    /// The kills, and the wait for the end.
    static func steps(_ plan: BenchmarkPlan) -> Int { plan.repeats + 1 }

    init(_ stage: BenchmarkStage, _ plan: BenchmarkPlan, _ steps: BenchmarkSteps) {
        self.stage = stage
        self.plan = plan
        self.steps = steps
    }

    func measure() throws -> [Measurement] {
        let database = try stage.makeDatabase("rescue")
        let daemons = try BenchmarkDaemons(
            2,
            database: database,
            answerMilliseconds: 20,
            steps: steps
        )
        defer { daemons.end() }
        let superuser = try database.superuser()
        var seconds: [Double] = []
        var total = 0
        for number in 1...plan.repeats {
            try steps.next("kill -9, repeat \(number)")
            // Two daemons with two shards each at 20 ms an item: with four seconds for a repeat, ten of work. A
            // shard has more items than a daemon judges at once, so that it is seen half done.
            let items = min(500 * plan.seconds, plan.judgements)
            try database.enqueue(
                superuser,
                items: database.items(items, from: total),
                shardSize: 16
            )
            total += items
            seconds.append(try killOne(daemons, superuser))
            try daemons.restart(0)
        }
        try steps.next("waiting for the work to end")
        try daemons.wait(for: "the work to end", seconds: 300, every: 100_000) {
            try superuser.execute(
                "SELECT NOT EXISTS (SELECT FROM rewardd.job WHERE finished_at IS NULL) AS ended"
            ).only().bool("ended")
        }
        try check(superuser, items: total)
        return [
            Measurement(
                "rescue",
                "kill -9 to all its work claimed by another daemon",
                .seconds,
                seconds,
                goal: 5
            )
        ]
    }

    /// Kills the first daemon while it holds shards; returns the seconds until another held all of them.
    private func killOne(_ daemons: BenchmarkDaemons, _ superuser: Connection) throws -> Double {
        let process = Int64(daemons.processes[0])
        var held: [Int64] = []
        try daemons.wait(for: "the daemon to be at work", seconds: 60) {
            held = try superuser.execute(
                """
                SELECT s.shard_id FROM rewardd.shard s
                JOIN rewardd.daemon d ON d.daemon_id = s.daemon_id
                WHERE s.state = 'running' AND d.pid = \(process)::int AND d.stopped_at IS NULL
                    AND s.items_done > 0
                """
            ).map { try $0.int64("shard_id") }
            return held.count >= 2
        }
        let time = WallClock.seconds
        daemons.kill(0)
        // What it held at its death may be more recent than what was read: ask again.
        held = try superuser.execute(
            """
            SELECT s.shard_id FROM rewardd.shard s
            JOIN rewardd.daemon d ON d.daemon_id = s.daemon_id
            WHERE s.state = 'running' AND d.pid = \(process)::int
            """
        ).map { try $0.int64("shard_id") }
        var last: Double?
        try daemons.wait(for: "another daemon to have the work", seconds: 60) {
            let row = try superuser.execute(
                """
                SELECT count(DISTINCT e.shard_id)::int AS shards,
                    extract(epoch FROM max(e.at))::float8 AS last
                FROM rewardd.event e
                WHERE e.type = 'claimed' AND e.shard_id = ANY (\(held))
                    AND e.at > to_timestamp(\(time)::float8)
                """
            ).only()
            guard try row.int("shards") == held.count else { return false }
            last = try row.doubleIfPresent("last")
            return true
        }
        return (last ?? time) - time
    }

    /// Every item has its one result, and nothing was stored twice.
    private func check(_ superuser: Connection, items: Int) throws {
        let row = try superuser.execute(
            """
            SELECT (SELECT count(*) FROM rewardd.item_result WHERE state = 'completed') AS results,
                (SELECT count(*) FROM rewardd.judgement) AS judgements
            """
        ).only()
        let results = try row.int("results")
        let judgements = try row.int("judgements")
        guard results == items, judgements == items else {
            throw ChildProcess.Failure(
                description: "after the kills: expected \(items) results and judgements, got "
                    + "\(results) and \(judgements)"
            )
        }
    }
}
