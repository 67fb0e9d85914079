import Postgres
import TestSupport
import Testing

@Suite("train jobs in SQL")
struct TrainingFunctionTests {
    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    @Test("rank below judging unless a priority is given, 0 too")
    func priority() throws {
        func rank(_ job: Int) throws -> Int {
            try queue.number(
                "SELECT priority AS value FROM rewardd.job_status WHERE job_id = \(job)"
            )
        }
        #expect(try rank(queue.enqueueTraining()) == -100)
        #expect(try rank(queue.enqueueTraining(priority: 0)) == 0)
        #expect(try rank(queue.enqueueTraining(priority: 7)) == 7)
        #expect(try rank(queue.enqueue()) == 0)
        let unnamed = try queue.number(
            """
            SELECT rewardd.enqueue('point_score', '[{"caption":"a","image":"b"}]',
                'image_generation', 'm', NULL, NULL, NULL) AS value
            """
        )
        #expect(try rank(unnamed) == 0)
    }

    @Test("are claimed under their label only, and judging shards never under one")
    func label() throws {
        let training = try queue.enqueueTraining(priority: 1000)
        let judging = try queue.enqueue()
        let daemon = try queue.register()
        #expect(try queue.claim(daemon, max: 9).map(\.job) == [judging])
        let lease = try #require(try queue.claimTraining(daemon))
        #expect(lease.job == training && lease.items == [0])
        #expect(try queue.claim(daemon, max: 9, models: ["train/m", "train/x"]).isEmpty)
        let row = try queue.connection.execute(
            "SELECT kind, task, model FROM rewardd.job_status WHERE job_id = \(training)"
        ).only()
        #expect(try row.text("kind") == "train" && row.text("model") == "m")
        #expect(try row.textIfPresent("task") == nil)
        // A retry opens the shard under the label again.
        _ = try queue.finish(lease, "fail", error: "why")
        #expect(try queue.status(training) == "failed 1 0 1")
        #expect(try queue.retry(training) == 1)
        #expect(try queue.claim(daemon, max: 9).isEmpty)
        #expect(try queue.claimTraining(daemon)?.job == training)
    }

    @Test("leave alone whether the daemon is idle: that is about judging")
    func idle() throws {
        func isIdle(_ daemon: Int) throws -> Bool {
            try queue.connection.execute(
                "SELECT idle FROM rewardd.daemon WHERE daemon_id = \(daemon)"
            ).only().bool("idle")
        }
        let daemon = try queue.register()
        #expect(try queue.claimTraining(daemon) == nil)
        #expect(try !isIdle(daemon))
        #expect(try queue.claim(daemon).isEmpty)
        #expect(try isIdle(daemon))
        try queue.enqueueTraining()
        #expect(try queue.claimTraining(daemon) != nil)
        #expect(try isIdle(daemon))
    }

    @Test("the same key gives the same job; a different dataset with it is refused")
    func idempotent() throws {
        func submit(_ path: String) throws -> Int {
            let items = #"[{"dataset": "\#(path)", "name": "n"}]"#
            return try queue.number(
                """
                SELECT rewardd.enqueue('train', \(items)::jsonb, NULL, 'm',
                    idempotency_key => 'k') AS value
                """
            )
        }
        let job = try submit("/a")
        #expect(try submit("/a") == job)
        #expect(try queue.refusal { _ = try submit("/b") }?.sqlState == .wrongState)
    }

    @Test("progress becomes events, newest thousand kept; it answers ok, cancel and lost")
    func progress() throws {
        let job = try queue.enqueueTraining()
        let daemon = try queue.register()
        let lease = try #require(try queue.claimTraining(daemon))
        #expect(try queue.report(lease, step: 1) == "ok")
        #expect(try queue.events(job).last == "training_progress")
        let stored = try queue.text(
            """
            SELECT data ->> 'loss' AS value FROM rewardd.job_event
            WHERE job_id = \(job) AND type = 'training_progress'
            """
        )
        #expect(stored == "0.5")
        try queue.connection.execute(
            """
            SELECT rewardd.report_progress(
                \(lease.shard), \(lease.token), jsonb_build_object('step', i))
            FROM generate_series(2, 1250) AS i
            """
        )
        let kept = try queue.connection.execute(
            """
            SELECT count(*) AS n, max((data ->> 'step')::int) AS last
            FROM rewardd.job_event WHERE job_id = \(job) AND type = 'training_progress'
            """
        ).only()
        #expect(try (1000...1100).contains(kept.int("n")))
        #expect(try kept.int("last") == 1250)
        #expect(try queue.events(job).first == "enqueued")
        #expect(try queue.cancel(job) == "running")
        #expect(try queue.report(lease, step: 1251) == "cancel")
        #expect(try queue.finish(lease, "release") == "cancel")
        #expect(try queue.report(lease, step: 1252) == "lost")
        #expect(try queue.status(job) == "cancelled 1 0 0")
    }

    @Test("a training that gets further survives any number of crashes")
    func crashesWithProgress() throws {
        let job = try queue.enqueueTraining()
        for attempt in 1...6 {
            let daemon = try queue.register()
            let lease = try #require(try queue.claimTraining(daemon))
            #expect(lease.attempts == 1)
            #expect(try queue.report(lease, step: attempt) == "ok")
            #expect(try queue.kill(daemon) == 1)
        }
        #expect(try queue.status(job) == "running 1 0 0")
        #expect(try queue.shards(job) == ["ready 0+1 d0 f0 a0 c1"])
    }

    @Test("records read are no progress, and do not hide the steps that follow")
    func reading() throws {
        let job = try queue.enqueueTraining()
        for attempt in 1...4 {
            let daemon = try queue.register()
            let lease = try #require(try queue.claimTraining(daemon))
            #expect(try queue.report(lease, #"{"phase": "reading", "step": 5000}"#) == "ok")
            #expect(
                try queue.report(lease, #"{"phase": "training", "step": \#(attempt)}"#) == "ok"
            )
            #expect(try queue.kill(daemon) == 1)
        }
        #expect(try queue.shards(job) == ["ready 0+1 d0 f0 a0 c1"])
        for _ in 1...2 {
            let daemon = try queue.register()
            let lease = try #require(try queue.claimTraining(daemon))
            #expect(try queue.report(lease, #"{"phase": "reading", "step": 9000}"#) == "ok")
            #expect(try queue.kill(daemon) == 1)
        }
        #expect(try queue.results(job) == ["0 failed daemon_crashed"])
    }

    @Test("a training that dies at the same step three times fails, as one that never reports does")
    func crashesWithout() throws {
        for steps in [[], [50]] {
            let job = try queue.enqueueTraining()
            for crash in 1...3 {
                let daemon = try queue.register()
                let lease = try #require(try queue.claimTraining(daemon), "crash \(crash)")
                for step in steps { #expect(try queue.report(lease, step: step) == "ok") }
                #expect(try queue.kill(daemon) == 1)
            }
            #expect(try queue.results(job) == ["0 failed daemon_crashed"])
        }
    }

    @Test("a report that is no small object with a step is refused by its path")
    func badReports() throws {
        try queue.enqueueTraining()
        let lease = try #require(try queue.claimTraining(queue.register()))
        for (data, message) in [
            ("[]", "data: expected an object of at most 16384 bytes, got array of 2 bytes"),
            (
                #"{"step": -1}"#,
                "data.step: expected a whole number from 0 to 1000000000000, got -1"
            ),
            ("{}", "data.step: expected a whole number from 0 to 1000000000000, got nothing"),
        ] {
            let error = try queue.refusal { _ = try queue.report(lease, data) }
            #expect(error?.message == message)
            #expect(error?.sqlState == .invalidParameterValue)
        }
    }

    @Test("a model is registered under its job's name and base, once for each digest")
    func models() throws {
        func list() throws -> [String] {
            try queue.list(
                """
                SELECT concat_ws(' ', name, left(digest, 2), base, host, job_id, replaced, daemons)
                    AS value
                FROM rewardd.model_status ORDER BY digest
                """
            )
        }
        let first = try queue.enqueueTraining()
        let daemon = try queue.register()
        let lease = try #require(try queue.claimTraining(daemon))
        #expect(try queue.registerModel(lease, digest: 1) == "ok")
        #expect(try queue.registerModel(lease, digest: 1) == "ok")
        #expect(try list() == ["scenes-2 01 m h \(first) f 0"])
        let known = try queue.text(
            """
            SELECT rewardd.set_daemon_models(\(daemon), '{m,scenes-2,train/m}')::text AS value
            """
        )
        #expect(known == "true")
        // The fixture registers daemons of the host "host".
        try queue.connection.execute("UPDATE rewardd.daemon SET host = 'h'")
        #expect(try list() == ["scenes-2 01 m h \(first) f 1"])
        _ = try queue.checkpoint(lease, completed: [0])
        #expect(try queue.finish(lease, "done") == "ok")
        #expect(try queue.registerModel(lease, digest: 3) == "lost")
        let second = try queue.enqueueTraining()
        let next = try #require(try queue.claimTraining(daemon))
        #expect(try queue.registerModel(next, digest: 2) == "ok")
        #expect(
            try list() == ["scenes-2 01 m h \(first) t 1", "scenes-2 02 m h \(second) f 1"]
        )
        try queue.enqueue()
        let judging = try queue.claim(daemon)[0]
        let error = try queue.refusal { _ = try queue.registerModel(judging, digest: 4) }
        #expect(error?.sqlState == .wrongState)
        let unknown = try queue.text(
            "SELECT rewardd.set_daemon_models(4711, '{m}')::text AS value"
        )
        #expect(unknown == "false")
    }

    @Test("workers report and register, nobody else; submitters see the models of their own jobs")
    func roles() throws {
        let alice = try queue.login("rewardd_submit")
        let bob = try queue.login("rewardd_submit")
        let worker = try queue.login("rewardd_work")
        let reader = try queue.login("rewardd_read")
        let admin = try queue.login("rewardd_admin")
        try alice.enqueueTraining()
        let daemon = try worker.register()
        let lease = try #require(try worker.claimTraining(daemon))
        #expect(try worker.report(lease, step: 1) == "ok")
        #expect(try worker.registerModel(lease, digest: 1) == "ok")
        for user in [alice, bob, reader, admin] {
            for body in [
                { _ = try user.report(lease, step: 2) },
                { _ = try user.registerModel(lease, digest: 2) },
                { try user.connection.execute("SELECT rewardd.set_daemon_models(1, '{}')") },
                { try user.connection.execute("SELECT * FROM rewardd.model") },
            ] {
                #expect(try user.refusal(body)?.sqlState == .insufficientPrivilege)
            }
        }
        let count: Query = "SELECT count(*) AS value FROM rewardd.model_status"
        #expect(try alice.number(count) == 1 && bob.number(count) == 0)
        #expect(try worker.number(count) == 1 && reader.number(count) == 1)
        let events: Query =
            "SELECT count(*) AS value FROM rewardd.job_event WHERE type = 'training_progress'"
        #expect(try alice.number(events) == 1 && bob.number(events) == 0)
    }
}
