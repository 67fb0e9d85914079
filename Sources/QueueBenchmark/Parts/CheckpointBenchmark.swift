import FoundationEssentials
import Postgres
import Staging

/// Judgements that real daemons store, with answers that cost nothing, beside a plain INSERT of as wide
/// rows into a table with the same indexes.
///
/// Every repeat submits a known amount while the queue is paused and measures from the first claim to the
/// end of the last job. Each judgement must then be stored once: a figure for lost work is no figure.
struct CheckpointBenchmark {
    /// One kind of job.
    private struct Work {
        let kind: String
        let task: String
        /// Judgements of one item.
        let judgements: Int
        let shardSize: Int
        /// The item of a number, as JSON.
        let item: (Int) -> String
    }

    private static let daemonCounts = [1, 4]

    private let stage: BenchmarkStage
    private let plan: BenchmarkPlan
    private let steps: BenchmarkSteps

    /// For each number of daemons the raw limit and two kinds of work.
    static func steps(_ plan: BenchmarkPlan) -> Int { daemonCounts.count * 2 * plan.repeats }

    init(_ stage: BenchmarkStage, _ plan: BenchmarkPlan, _ steps: BenchmarkSteps) {
        self.stage = stage
        self.plan = plan
        self.steps = steps
    }

    func measure() throws -> [Measurement] {
        var measurements: [Measurement] = []
        for count in Self.daemonCounts { measurements += try measure(daemons: count) }
        return measurements
    }

    private func measure(daemons count: Int) throws -> [Measurement] {
        let database = try stage.makeDatabase("checkpoint_\(count)")
        try makePlainTable(database)
        let daemons = try BenchmarkDaemons(
            count,
            database: database,
            answerMilliseconds: 0,
            steps: steps
        )
        defer { daemons.end() }
        let title = "\(count) daemon\(count == 1 ? "" : "s")"
        var raw: [Double] = []
        var first = 0
        func repeats(_ work: Work, perSecond: Int) throws -> [Double] {
            try (1...plan.repeats).map { number in
                try steps.next("\(work.kind), \(title), repeat \(number)")
                if raw.count < plan.repeats { raw.append(try plainRate(database, clients: count)) }
                let judgements = min(perSecond * plan.seconds, plan.judgements)
                let items = max(4, judgements / work.judgements)
                defer { first += items }
                return try rate(work, items: first..<first + items, database, daemons)
            }
        }
        let pairs = try repeats(listWork, perSecond: 4000 + 2000 * count)
        let points = try repeats(pointWork, perSecond: 1500 + 500 * count)
        let limit = Measurement.RawLimit("INSERT of 64 rows as wide, \(count) clients", raw)
        return [
            Measurement(
                "checkpoint.build_pairs.\(count)",
                "judgements stored, lists of \(Self.candidates) answers, \(title)",
                .perSecond,
                pairs,
                raw: limit,
                goal: count == 4 ? 20_000 : nil
            ),
            Measurement(
                "checkpoint.point_score.\(count)",
                "judgements stored, one picture and one result each, \(title)",
                .perSecond,
                points,
                raw: limit
            ),
        ]
    }

    // MARK: - Work

    /// Candidates of an item: half as many comparisons, each in both orders, and a score for each.
    private static let candidates = 64

    private var listWork: Work {
        let picture = stage.picture
        return Work(
            kind: "build_pairs",
            task: "image_understanding",
            judgements: 2 * Self.candidates,
            shardSize: 2
        ) { number in
            let candidates = (0..<Self.candidates).map {
                #""answer \#($0) to question \#(number)""#
            }
            return #"{"question":"question \#(number)","image":"\#(picture)","candidates":["#
                + candidates.joined(separator: ",") + "]}"
        }
    }

    private var pointWork: Work {
        let picture = stage.picture
        return Work(
            kind: "point_score",
            task: "image_generation",
            judgements: 1,
            shardSize: 64
        ) { #"{"caption":"picture \#($0): a red circle","image":"\#(picture)"}"# }
    }

    /// Judgements a second from the first claim to the last end.
    private func rate(
        _ work: Work,
        items: Range<Int>,
        _ database: BenchmarkDatabase,
        _ daemons: BenchmarkDaemons
    ) throws -> Double {
        let connection = try database.superuser()
        try connection.execute("SELECT rewardd.pause_queue('default')")
        let payload = "[" + items.map(work.item).joined(separator: ",") + "]"
        let job = try connection.execute(
            """
            SELECT rewardd.enqueue(kind => \(work.kind), items => \(json: payload),
                task => \(work.task), model => \(BenchmarkStage.model),
                options => jsonb_build_object('shard_size', \(work.shardSize)::int)) AS job_id
            """
        ).only().int64("job_id")
        try daemons.awaitIdle()
        try connection.execute("SELECT rewardd.resume_queue('default')")
        try daemons.wait(for: "the job to end", seconds: 600, every: 50_000) {
            try connection.execute(
                "SELECT finished_at IS NOT NULL AS ended FROM rewardd.job WHERE job_id = \(job)"
            ).only().bool("ended")
        }
        let row = try connection.execute(
            """
            SELECT (SELECT count(*) FROM rewardd.judgement n WHERE n.job_id = j.job_id) AS stored,
                j.items_done, extract(epoch FROM j.finished_at - j.started_at)::float8 AS seconds
            FROM rewardd.job j WHERE j.job_id = \(job)
            """
        ).only()
        let stored = try row.int("stored")
        guard stored == items.count * work.judgements, try row.int("items_done") == items.count
        else {
            throw ChildProcess.Failure(
                description: "job \(job): expected \(items.count * work.judgements) judgements of "
                    + "\(items.count) items, got \(stored) of \(try row.int("items_done"))"
            )
        }
        return Double(stored) / (try row.double("seconds"))
    }

    // MARK: - The raw limit

    private func makePlainTable(_ database: BenchmarkDatabase) throws {
        try database.superuser().executeScript(
            """
            CREATE TABLE public.plain (LIKE rewardd.judgement INCLUDING ALL);
            GRANT INSERT ON public.plain TO \(BenchmarkStage.worker)
            """
        )
    }

    private func plainRate(_ database: BenchmarkDatabase, clients: Int) throws -> Double {
        let script = """
            \\set job random(1, 1000000)
            INSERT INTO public.plain (fingerprint, job_id, shard_id, lease_token, item_index, kind, \
            task, model, model_digest, template_id, template_digest, answer_mode, \
            presentation_order, raw_response, verdict, prompt_tokens, probabilities) \
            SELECT sha256((random()::text || n)::bytea), :job, 1, 1, n, 'pair_rank', \
            'image_understanding', 'bench', '\\x\(digest)', 'pair_rank.image_understanding', \
            '\\x\(digest)', 'choices', 'first_second', 'Answer 1 is better', 'first', 40, \
            '{"tie": 0.2537, "first": 0.4213, "second": 0.325}' FROM generate_series(1, 64) AS n;
            """
        let rate = try Pgbench(stage).rate(
            script,
            login: BenchmarkStage.worker,
            database: database.name,
            clients: clients,
            seconds: plan.seconds
        )
        return rate * 64
    }

    /// 32 bytes in hexadecimal digits.
    private var digest: String { String(repeating: "a7", count: 32) }
}
