import FoundationEssentials
import Postgres

/// Submitting through SQL, beside a plain INSERT and a plain COPY of the same payloads.
struct EnqueueBenchmark {
    private let stage: BenchmarkStage
    private let plan: BenchmarkPlan
    private let steps: BenchmarkSteps
    private let database: BenchmarkDatabase

    /// Two numbers of clients, and bulk.
    static func steps(_ plan: BenchmarkPlan) -> Int { 3 * plan.repeats }

    init(_ stage: BenchmarkStage, _ plan: BenchmarkPlan, _ steps: BenchmarkSteps) throws {
        self.stage = stage
        self.plan = plan
        self.steps = steps
        database = try stage.makeDatabase("enqueue")
    }

    func measure() throws -> [Measurement] {
        let superuser = try database.superuser()
        try superuser.executeScript(
            """
            CREATE TABLE public.plain (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                payload jsonb NOT NULL);
            GRANT INSERT ON public.plain TO \(BenchmarkStage.submitter)
            """
        )
        return [
            try single(clients: 1, goal: nil),
            try single(clients: 4, goal: 5000),
            try bulk(superuser),
        ]
    }

    private func single(clients: Int, goal: Double?) throws -> Measurement {
        let pgbench = try Pgbench(stage)
        let items = database.items(1)
        let insert = "INSERT INTO public.plain (payload) VALUES ('\(items)');"
        let enqueue =
            "SELECT rewardd.enqueue(kind => 'point_score', items => '\(items)', "
            + "task => 'image_generation', model => '\(BenchmarkStage.model)');"
        var own: [Double] = []
        var raw: [Double] = []
        for number in 1...plan.repeats {
            try steps.next("enqueue, \(clients) clients, repeat \(number)")
            func rate(_ script: String) throws -> Double {
                try pgbench.rate(
                    script,
                    login: BenchmarkStage.submitter,
                    database: database.name,
                    clients: clients,
                    seconds: plan.seconds
                )
            }
            raw.append(try rate(insert))
            own.append(try rate(enqueue))
        }
        return Measurement(
            "enqueue.one.\(clients)",
            "enqueue, one item a transaction, \(clients) client\(clients == 1 ? "" : "s")",
            .perSecond,
            own,
            raw: .init("INSERT of one row with the payload", raw),
            goal: goal
        )
    }

    private func bulk(_ superuser: Connection) throws -> Measurement {
        let items = database.items(plan.bulkItems)
        let file = stage.directory + "/items.copy"
        try items.dropFirst().dropLast().replacing("},{", with: "}\n{")
            .write(toFile: file, atomically: false, encoding: .utf8)
        let submitter = try database.connect(BenchmarkStage.submitter)
        var own: [Double] = []
        var raw: [Double] = []
        for number in 1...plan.repeats {
            try steps.next("enqueue in bulk, repeat \(number)")
            raw.append(
                try rate {
                    _ = try superuser.execute(
                        Query(script: "COPY public.plain (payload) FROM '\(file)'")
                    )
                }
            )
            own.append(try rate { _ = try database.enqueue(submitter, items: items) })
        }
        return Measurement(
            "enqueue.bulk",
            "enqueue, \(plan.bulkItems) items a transaction, 1 client",
            .perSecond,
            own,
            raw: .init("COPY of as many rows from a file", raw),
            goal: 100_000
        )
    }

    /// Items a second of a call that submits the bulk, over the time of a repeat and at least twice.
    private func rate(_ call: () throws -> Void) throws -> Double {
        let start = ContinuousClock.now
        var count = 0
        while count < 2 || start.duration(to: .now) < .seconds(plan.seconds) {
            try call()
            count += 1
        }
        return Double(count * plan.bulkItems) / (start.duration(to: .now) / .seconds(1))
    }
}
