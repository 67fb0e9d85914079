import Glibc
import Postgres
import Staging

/// One run of chaos: rounds of faults, each followed by an audit, then the wait for every job to end, and
/// the last audit.
///
/// Sequential on purpose: the concurrency under test is that of the daemons. Every step is short, so that
/// Ctrl-C is heard between two of them.
package final class ChaosRun {
    /// Thrown through the run by Ctrl-C.
    struct Interrupted: Error {}

    let plan: ChaosPlan
    let stage: ChaosStage
    let submitter: QueueClient
    let jobOperator: QueueClient
    let superuser: QueueClient
    let workload: Workload
    var auditor = Auditor()
    var report: ChaosReport
    var allowance: RepeatAllowance
    /// Whether the server is there, and what somebody else does to it.
    var sentinel: ServerSentinel
    /// What went wrong where no auditor sees it.
    var incidents: [Violation] = []
    /// Queues that are paused, and until when.
    var paused: [(queue: String, until: Double)] = []
    /// Jobs that are held for a moment.
    var held: [HeldJob] = []
    /// Jobs in the order in which they were acknowledged.
    var jobs: [Int64] = []
    var nextSubmission = 0
    var submissionDue = 0.0

    private var journal: AnswerJournal?
    private let start = ContinuousClock.now
    private let show: (ChaosProgress) -> Void

    /// Plays a plan from beginning to end and takes everything away again.
    ///
    /// - Parameters:
    ///   - daemonProgram: The path of `rewardd`.
    ///   - progress: Hears several times a second how far the run is.
    package static func play(
        _ plan: ChaosPlan,
        daemonProgram: String,
        progress: @escaping (ChaosProgress) -> Void
    ) throws -> ChaosReport {
        let run = try ChaosRun(plan, daemonProgram: daemonProgram, progress: progress)
        defer { run.stage.clear() }
        return try run.play()
    }

    private init(
        _ plan: ChaosPlan,
        daemonProgram: String,
        progress: @escaping (ChaosProgress) -> Void
    ) throws {
        self.plan = plan
        show = progress
        progress(ChaosProgress(done: 0, total: Int(plan.seconds), note: "starting a server"))
        stage = try ChaosStage(plan, daemonProgram: daemonProgram)
        let cluster = stage.cluster
        submitter = QueueClient(url: cluster.url(user: "chaos_submitter"), name: "chaos submitter")
        jobOperator = QueueClient(url: cluster.url(user: "chaos_operator"), name: "chaos operator")
        superuser = QueueClient(url: cluster.url, name: "chaos auditor", options: .patient)
        sentinel = ServerSentinel(cluster)
        workload = Workload(seed: plan.seed, media: stage.media)
        report = ChaosReport(seed: plan.seed)
        allowance = RepeatAllowance(
            daemons: plan.daemons,
            slots: plan.slots,
            itemsAtOnce: plan.itemsAtOnce,
            questionsPerItem: Workload.mostQuestions
        )
        journal = stage.journalPath.map(AnswerJournal.init(path:))
    }

    /// Seconds since the start of the run.
    var now: Double { start.duration(to: .now) / .seconds(1) }

    /// Answers that scripted engines have given so far.
    var answers: Int {
        journal?.read()
        return journal?.answers ?? 0
    }

    // MARK: - The story

    private func play() throws -> ChaosReport {
        do {
            try rounds()
            if report.violations.isEmpty { try settle() }
            if report.violations.isEmpty {
                incidents += stage.fleet.farewell()
                report.violations = incidents
                if !incidents.isEmpty { report.place = .end }
            }
        } catch is Interrupted {
            report.isInterrupted = true
        } catch let error as PostgresError where error.isConnectionLost {
            report.obstacle = "\(error)"
        }
        try? conclude()
        return report
    }

    private func rounds() throws {
        let faults = FaultPlan(
            seed: plan.seed,
            daemons: plan.daemons,
            roundSeconds: plan.roundSeconds
        )
        for round in 1...plan.rounds {
            try play(faults.faults(round: round), round: round)
            try audit(.round(round))
            guard report.violations.isEmpty else { return }
            report.rounds = round
        }
    }

    private func play(_ faults: [Fault], round: Int) throws {
        let begin = now
        var waiting = faults[...]
        while now < begin + plan.roundSeconds || !waiting.isEmpty {
            try step(note: "round \(round) of \(plan.rounds), \(jobs.count) jobs")
            if let fault = waiting.first, now >= begin + fault.offset {
                waiting.removeFirst()
                try perform(fault)
            }
            try submitIfDue(round: round)
        }
    }

    /// Waits for every job to end, with all faults over.
    private func settle() throws {
        let deadline = now + plan.settleSeconds
        var live = -1
        while live != 0, now < deadline {
            try step(note: live < 0 ? "the faults are over" : "waiting for \(live) jobs to end")
            if paused.isEmpty, held.isEmpty {
                let count = superuser.attempt { connection in
                    try connection.execute(
                        "SELECT count(*) AS n FROM rewardd.job WHERE finished_at IS NULL"
                    ).only().int("n")
                }
                live = count ?? live
            }
            usleep(200_000)
        }
        try audit(.end)
    }

    /// What happens all the time: daemons that are due start and go on, paused queues open again, held jobs
    /// are released.
    func step(note: String) throws {
        if InterruptFlag.isRaised { throw Interrupted() }
        incidents += try stage.fleet.tick(at: now)
        countOutside()
        try resumeQueues()
        try endHolds()
        show(
            ChaosProgress(
                done: min(Int(now), Int(plan.seconds)),
                total: Int(plan.seconds),
                note: note
            )
        )
        usleep(50_000)
    }

    /// Counts what nobody of this run did: others may kill daemons and stop the server too.
    private func countOutside() {
        let answers = answers
        for kind in stage.fleet.takeOutside() {
            report.outside[kind, default: 0] += 1
            allowance.happened(kind, answers: answers, end: now)
        }
        guard let outage = sentinel.look(at: now, answers: answers) else { return }
        report.outside[.crash, default: 0] += 1
        allowance.happened(.crash, answers: outage.answersBefore, end: now)
        stage.fleet.wasDisturbed(at: now)
    }

    private func audit(_ place: ChaosReport.Place) throws {
        var circumstances = Auditor.Circumstances()
        circumstances.isSettled = place == .end
        circumstances.answers = answers
        circumstances.repeats = journal?.repeats ?? 0
        circumstances.repeatsAllowed = allowance.allowed(answers: circumstances.answers, now: now)
        let found = try patiently { try self.auditor.audit($0, circumstances) }
        report.audits += 1
        report.violations = found + incidents
        if !report.violations.isEmpty { report.place = place }
    }

    /// Runs `body` as superuser, again and again while the server is away for less than a minute at a time: one
    /// that others kill every half minute may cut a long statement several times.
    func patiently<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        var deadline = now + 60
        let end = now + 1800
        while true {
            do {
                return try superuser.once(body)
            } catch let error as PostgresError where error.isConnectionLost {
                if error.kind != .cannotConnect { deadline = min(now + 60, end) }
                guard now < deadline else { throw error }
                try step(note: "waiting for the server")
            }
        }
    }

    // MARK: - The sum

    private func conclude() throws {
        report.seconds = now
        report.daemonStarts = stage.fleet.starts
        report.sprung = stage.fleet.sprung
        report.lostReplies = stage.fleet.lostReplies
        report.answers = journal == nil ? nil : answers
        report.repeats = journal?.repeats
        for client in [submitter, jobOperator, superuser] {
            report.refusals.merge(client.refusals) { $0 + $1 }
        }
        let totals = try patiently { connection in
            try connection.execute(
                """
                SELECT (SELECT count(*) FROM rewardd.job) AS jobs,
                    (SELECT count(*) FROM rewardd.item) AS items,
                    (SELECT count(*) FROM rewardd.judgement) AS judgements,
                    (SELECT count(*) FROM rewardd.event WHERE type = 'rescued') AS rescues
                """
            ).only()
        }
        report.jobs = try totals.int("jobs")
        report.items = try totals.int("items")
        report.judgements = try totals.int("judgements")
        report.rescues = try totals.int("rescues")
        for loss in stage.fleet.losses {
            guard let seconds = try secondsUntilNoticed(loss) else { continue }
            if loss.kind == .freeze {
                report.freezeNoticed.append(seconds)
            } else if loss.isFair {
                report.killNoticed.append(seconds)
            } else {
                report.killNoticedLate.append(seconds)
            }
        }
    }

    /// From a loss until another daemon declared the lost one dead; nil where nobody had to, because it had
    /// not registered or was back in time.
    private func secondsUntilNoticed(_ loss: DaemonFleet.Loss) throws -> Double? {
        try patiently { connection in
            let rows = try connection.execute(
                """
                SELECT extract(epoch FROM d.stopped_at)::float8 - \(loss.time)::float8 AS seconds
                FROM rewardd.daemon d
                WHERE d.pid = \(loss.process) AND d.stop_reason <> 'stopped'
                    AND d.started_at < to_timestamp(\(loss.time)::float8)
                    AND d.stopped_at > to_timestamp(\(loss.time)::float8)
                ORDER BY d.stopped_at
                LIMIT 1
                """
            )
            return try rows.first?.double("seconds")
        }
    }
}
