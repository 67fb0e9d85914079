import Glibc
import Postgres
import Staging

/// From the call of enqueue to an idle daemon's start, by the clock of the machine that both read.
///
/// Two figures. The start that the goal is about is the job's `started_at`: submitted, committed, notified,
/// and being claimed. The other one goes on until the first judgement is being written, past the commit of
/// the claim, the reading of the picture, the look-up and an answer that costs nothing.
struct StartBenchmark {
    private let stage: BenchmarkStage
    private let plan: BenchmarkPlan
    private let steps: BenchmarkSteps

    static func steps(_ plan: BenchmarkPlan) -> Int { plan.repeats }

    init(_ stage: BenchmarkStage, _ plan: BenchmarkPlan, _ steps: BenchmarkSteps) {
        self.stage = stage
        self.plan = plan
        self.steps = steps
    }

    func measure() throws -> [Measurement] {
        let database = try stage.makeDatabase("start")
        let daemons = try BenchmarkDaemons(
            1,
            database: database,
            answerMilliseconds: 0,
            steps: steps
        )
        defer { daemons.end() }
        let superuser = try database.superuser()
        let plain = try PlainUpdate(database)
        let submitter = try database.connect(BenchmarkStage.submitter)
        var claimed = LatencySeries()
        var started = LatencySeries()
        var raw = LatencySeries()
        var first = 0
        for number in 1...plan.repeats {
            try steps.next("enqueue to start, repeat \(number)")
            var calls: [(job: Int64, time: Double)] = []
            var rawSample: [Double] = []
            for _ in 0..<plan.samples {
                try steps.check()
                rawSample.append(try plain.milliseconds())
                let items = database.items(1, from: first)
                first += 1
                let time = WallClock.seconds
                calls.append((try database.enqueue(submitter, items: items), time))
                // Until the daemon has finished the shard, asked for more and gone to sleep.
                usleep(25_000)
            }
            try daemons.awaitIdle()
            var claims: [Double] = []
            var starts: [Double] = []
            for call in calls {
                let row = try superuser.execute(
                    """
                    SELECT extract(epoch FROM j.started_at)::float8 AS claimed,
                        (SELECT extract(epoch FROM min(n.created_at))::float8
                            FROM rewardd.judgement n WHERE n.job_id = j.job_id) AS started
                    FROM rewardd.job j WHERE j.job_id = \(call.job)
                    """
                ).only()
                claims.append((try row.double("claimed") - call.time) * 1000)
                starts.append((try row.double("started") - call.time) * 1000)
            }
            claimed.add(claims)
            started.add(starts)
            raw.add(rawSample)
        }
        return claimed.measurements(
            "start",
            "enqueue to start, idle daemon",
            raw: raw,
            medianGoal: 3,
            p99Goal: 12
        )
            + started.measurements(
                "start.judgement",
                "enqueue to first judgement, idle daemon",
                raw: raw
            )
    }
}
