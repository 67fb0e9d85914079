import Jobs
import Postgres
import Staging

/// Claims of one shard, as a daemon makes them (BEGIN, the function, COMMIT), over backlogs.
///
/// What is claimed is finished before the next sample, untimed, so that claims move along the backlog as
/// they do in work.
struct ClaimBenchmark {
    private let stage: BenchmarkStage
    private let plan: BenchmarkPlan
    private let steps: BenchmarkSteps

    /// Six backlogs; four have to be filled.
    static func steps(_ plan: BenchmarkPlan) -> Int { 6 * plan.repeats + 4 }

    init(_ stage: BenchmarkStage, _ plan: BenchmarkPlan, _ steps: BenchmarkSteps) {
        self.stage = stage
        self.plan = plan
        self.steps = steps
    }

    func measure() async throws -> [Measurement] {
        var measurements: [Measurement] = []
        let small = try Backlog("claim_ready", stage)
        measurements += try await claims("empty", "claim, nothing ready", small)
        let tenth = max(plan.rows / 10, 1)
        try steps.next("filling the queue with \(tenth) shards")
        try small.fill(tenth, steps)
        measurements += try await claims("ready.tenth", "claim, \(words(tenth)) ready", small)
        measurements += try await churned(small, tenth)
        try steps.next("filling the queue with \(plan.rows) shards")
        try small.fill(plan.rows - tenth, steps)
        measurements += try await claims("ready", "claim, \(words(plan.rows)) ready", small)

        let scheduled = try Backlog("claim_scheduled", stage)
        try steps.next("filling the queue with \(plan.rows) scheduled shards")
        try scheduled.fill(plan.rows, delay: 24, steps)
        try scheduled.fill(claimedInAll, steps)
        measurements += try await claims(
            "scheduled",
            "claim, \(words(plan.rows)) scheduled",
            scheduled
        )
        let done = try Backlog("claim_done", stage)
        try steps.next("filling the queue with \(plan.rows) finished shards")
        try done.fill(plan.rows, steps)
        try done.finishAll()
        try done.fill(claimedInAll, steps)
        measurements += try await claims("done", "claim, \(words(plan.rows)) done", done)
        return measurements
    }

    /// Shards that the samples of one backlog need.
    private var claimedInAll: Int { plan.samples * plan.repeats }

    private func words(_ count: Int) -> String { BenchmarkReport.short(Double(count)) }

    private func claims(
        _ name: String,
        _ title: String,
        _ backlog: Backlog,
        p99Goal: Double? = 5
    ) async throws -> [Measurement] {
        let claimer = try Claimer(backlog.database)
        var own = LatencySeries()
        var raw = LatencySeries()
        for number in 1...plan.repeats {
            try steps.next("\(title), repeat \(number)")
            var claims: [Double] = []
            var updates: [Double] = []
            for _ in 0..<plan.samples {
                try steps.check()
                updates.append(try backlog.plain.milliseconds())
                claims.append(try await claimer.claimAndFinish())
            }
            own.add(claims)
            raw.add(updates)
        }
        return own.measurements("claim.\(name)", title, raw: raw, p99Goal: p99Goal)
    }

    /// The same while others claim and finish and an old transaction keeps every dead row from being
    /// cleaned away. Without a goal: what a claim waits for here is a processor as much as the queue.
    private func churned(_ backlog: Backlog, _ count: Int) async throws -> [Measurement] {
        let holder = try backlog.database.superuser()
        try holder.executeScript("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT txid_current()")
        let churn = try Churn(backlog.database)
        let task = Task { try await churn.run() }
        let measurements: [Measurement]
        do {
            try await Task.sleep(for: .seconds(plan.seconds))
            measurements = try await claims(
                "held",
                "claim, \(words(count)) ready, an old snapshot and churn",
                backlog,
                p99Goal: nil
            )
        } catch {
            churn.stop()
            try? await task.value
            throw error
        }
        churn.stop()
        try await task.value
        try holder.execute("COMMIT")
        return measurements
    }
}
