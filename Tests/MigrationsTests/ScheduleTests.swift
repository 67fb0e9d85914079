import Postgres
import TestSupport
import Testing

@Suite("schedules")
struct ScheduleTests {
    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    // MARK: - Making

    @Test("made again they stay as they are, made differently they are refused or replaced")
    func create() throws {
        #expect(try queue.schedule("nightly", cron: "0 2 * * *") == "created")
        #expect(try queue.schedule("nightly", cron: " 0  2 * * *") == "unchanged")
        for change in [("0 3 * * *", "coalesce"), ("0 2 * * *", "skip")] {
            let error = try queue.refusal {
                _ = try queue.schedule("nightly", cron: change.0, misfire: change.1)
            }
            #expect(error?.sqlState == .wrongState)
            #expect(
                error?.message
                    == "schedule \"nightly\": expected its present definition again, got another one"
            )
        }
        try queue.connection.execute("SELECT rewardd.pause_schedule('nightly')")
        #expect(try queue.schedule("nightly", cron: "0 3 * * *", replace: true) == "replaced")
        #expect(try queue.schedule("nightly", cron: "0 3 * * *") == "unchanged")
        #expect(
            try queue.text(
                """
                SELECT concat_ws(' ', cron, time_zone, misfire, overlap, kind, task, model, queue,
                    items_total, paused_at IS NOT NULL, next_slot IS NULL) AS value
                FROM rewardd.schedule_status
                """
            ) == "0 3 * * * UTC coalesce skip point_score image_generation m default 1 t t"
        )
    }

    @Test(
        "take what enqueue takes and policies and names besides",
        arguments: [
            ("name => ''", "name: expected a name"),
            ("cron => '61 * * * *'", "cron: expected minutes 0-59"),
            ("cron => NULL", "cron: expected five fields"),
            ("time_zone => 'Nowhere'", "time_zone: expected the name of a time zone"),
            ("misfire => 'later'", "misfire: expected one of coalesce, catch_up, skip, got"),
            ("overlap => 'x'", "overlap: expected one of allow, skip, queue, got"),
            ("kind => 'guess'", "kind: expected one of point_score"),
            ("model => ''", "model: expected a name"),
            ("priority => 40000", "priority: expected -1000 to 1000, got 40000"),
            ("queue => 'nowhere'", "queue: expected an existing queue"),
            ("options => '{\"x\": 1}'", "options.x: expected a known option"),
            ("items => '[]'", "items: expected an array of 1 to 1000000 items"),
            ("items => '[{\"caption\": \"c\"}]'", "items[0].image: expected a path"),
            (
                "items => ('[{\"caption\": \"c\", \"image\": {\"media\": \"' || repeat('0', 64) || '\"}}]')::jsonb",
                "items[0].image: expected media uploaded by"
            ),
        ]
    )
    func refusals(argument: String, complaint: String) throws {
        var arguments = [
            "name": "'s'", "cron": "'@daily'", "kind": "'point_score'",
            "items": #"'[{"caption": "c", "image": "a"}]'"#, "task": "'image_generation'",
            "model": "'m'",
        ]
        let parts = argument.split(separator: " => ", maxSplits: 1).map(String.init)
        arguments[parts[0]] = parts[1]
        let list = arguments.map { "\($0.key) => \($0.value)" }.joined(separator: ", ")
        let error = try queue.refusal {
            try queue.connection.execute(Query(script: "SELECT rewardd.create_schedule(\(list))"))
        }
        #expect(error?.message.hasPrefix(complaint) == true, "\(error?.message ?? "accepted")")
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.schedule") == 0)
    }

    @Test("repeat a training too")
    func training() throws {
        try queue.connection.execute(
            """
            SELECT rewardd.create_schedule('weekly', '@weekly', 'train',
                '[{"dataset": "/d.jsonl", "name": "new"}]', NULL, 'base', '{"replace": true}')
            """
        )
        try queue.makeDue("weekly")
        #expect(try queue.runSchedules() == 1)
        #expect(
            try queue.text("SELECT concat_ws(' ', kind, model, priority) AS value FROM rewardd.job")
                == "train base -100"
        )
    }

    // MARK: - Running

    @Test("are enqueued when due, once, and then come next at the following time")
    func due() throws {
        _ = try queue.schedule("a")
        #expect(try queue.runSchedules() == 0)
        try queue.makeMiss("a", days: 0)
        #expect(try queue.runSchedules() == 1)
        #expect(try queue.runSchedules() == 0)
        #expect(try queue.slots("a") == ["0 enqueued 1"])
        #expect(
            try queue.text(
                """
                SELECT concat_ws(' ', next_slot > now(), next_slot - last_slot, last_outcome,
                    last_job_state) AS value
                FROM rewardd.schedule_status
                """
            ) == "t 1 day enqueued ready"
        )
        let job = try queue.number("SELECT last_job AS value FROM rewardd.schedule_status")
        #expect(try queue.events(job) == ["enqueued", "slot_enqueued"])
    }

    @Test("with coalesce run once for all they missed")
    func coalesce() throws {
        _ = try queue.schedule("a", misfire: "coalesce")
        try queue.makeMiss("a", days: 3)
        #expect(try queue.runSchedules() == 4)
        #expect(
            try queue.slots("a") == [
                "3 skipped: missed; a later slot runs for it",
                "2 skipped: missed; a later slot runs for it",
                "1 skipped: missed; a later slot runs for it", "0 enqueued 1",
            ]
        )
    }

    @Test("with catch_up run for each they missed, twenty a call")
    func catchUp() throws {
        _ = try queue.schedule("a", misfire: "catch_up", overlap: "allow")
        try queue.makeMiss("a", days: 24)
        #expect(try queue.runSchedules() == 20)
        #expect(try queue.runSchedules() == 5)
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.job") == 25)
        #expect(try queue.slots("a").allSatisfy { $0.contains("enqueued") })
    }

    @Test("with skip run for none they missed by more than a minute")
    func skip() throws {
        _ = try queue.schedule("a", misfire: "skip", overlap: "allow")
        try queue.makeMiss("a", days: 2)
        #expect(try queue.runSchedules() == 3)
        #expect(
            try queue.slots("a")
                == (0...2).reversed().map { "\($0) skipped: missed by more than a minute" }
        )
        try queue.makeDue("a")
        #expect(try queue.runSchedules() == 1)
        #expect(try queue.slots("a").last?.hasPrefix("0 enqueued") == true)
    }

    @Test("of which the previous job has not ended: skipped, beside it, or after it")
    func overlap() throws {
        for overlap in ["skip", "allow", "queue"] {
            _ = try queue.schedule(
                overlap,
                misfire: "catch_up",
                overlap: overlap
            )
            try queue.makeMiss(overlap, days: 2)
        }
        #expect(try queue.runSchedules() == 9)
        let first = try queue.lastJob("skip")
        #expect(
            try queue.slots("skip") == [
                "2 enqueued \(first)", "1 skipped: job \(first) has not ended",
                "0 skipped: job \(first) has not ended",
            ]
        )
        #expect(try queue.slots("allow").filter { $0.contains("enqueued") }.count == 3)
        let waited = try queue.lastJob("queue")
        #expect(
            try queue.slots("queue") == [
                "2 enqueued \(waited)", "1 waiting: job \(waited) has not ended",
                "0 skipped: another slot waits already",
            ]
        )
        #expect(try queue.runSchedules() == 0)
        #expect(try queue.cancel(waited) == "cancelled")
        #expect(try queue.runSchedules() == 1)
        let next = try queue.lastJob("queue")
        #expect(next != waited)
        #expect(try queue.slots("queue")[1] == "1 enqueued \(next)")
        #expect(try queue.runSchedules() == 0)
    }

    @Test("that enqueue refuses are recorded with its words, and do not keep others waiting")
    func refusal() throws {
        try queue.connection.execute("SELECT rewardd.create_queue('gone')")
        _ = try queue.schedule("bad", queue: "gone")
        _ = try queue.schedule("good")
        try queue.connection.execute("DELETE FROM rewardd.queue WHERE name = 'gone'")
        try queue.makeDue("bad")
        try queue.makeDue("good")
        #expect(try queue.runSchedules() == 2)
        #expect(
            try queue.slots("bad") == ["0 refused: queue: expected an existing queue, got \"gone\""]
        )
        #expect(try queue.slots("good").first?.hasPrefix("0 enqueued") == true)
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.job") == 1)
        #expect(try queue.runSchedules() == 0)
    }

    @Test("with a broken definition stay due and do not keep others waiting")
    func broken() throws {
        _ = try queue.schedule("bad")
        _ = try queue.schedule("good")
        try queue.makeMiss("bad", days: 1)
        try queue.makeDue("good")
        try queue.connection.execute(
            "UPDATE rewardd.schedule SET time_zone = 'Atlantis' WHERE name = 'bad'"
        )
        #expect(try queue.runSchedules() == 1)
        #expect(try queue.slots("bad") == [])
        #expect(try queue.slots("good").count == 1)
    }

    @Test("paused do nothing, resumed forget the pause, run by hand they do not mind either")
    func pause() throws {
        _ = try queue.schedule("a")
        try queue.connection.execute("SELECT rewardd.pause_schedule('a')")
        try queue.makeMiss("a", days: 5)
        #expect(try queue.runSchedules() == 0)
        let job = try queue.number("SELECT rewardd.run_schedule('a') AS value")
        let second = try queue.number("SELECT rewardd.run_schedule('a') AS value")
        #expect(try queue.lastJob("a") == second)
        #expect(try queue.status(job) == "ready 1 0 0")
        #expect(
            try queue.list(
                """
                SELECT concat_ws(' ', planned, outcome, job_id) AS value
                FROM rewardd.schedule_history ORDER BY slot
                """
            ) == ["f enqueued \(job)", "f enqueued \(second)"]
        )
        try queue.connection.execute("SELECT rewardd.resume_schedule('a')")
        #expect(try queue.runSchedules() == 0)
        try queue.connection.execute("SELECT rewardd.drop_schedule('a')")
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.schedule_slot") == 0)
        #expect(try queue.status(job) == "ready 1 0 0")
    }

    // MARK: - Several daemons

    @Test("are enqueued once by two sessions at the same time")
    func concurrent() throws {
        let schedules = 12
        for index in 0..<schedules {
            _ = try queue.schedule(
                "s\(index)",
                misfire: "catch_up",
                overlap: "allow"
            )
            try queue.makeMiss("s\(index)", days: 29)
        }
        let database = queue.database
        let handled = try onThreads(2) { _ in
            let session = try QueueFixture(database: database)
            var handled = 0
            // A session finds nothing while the other holds what is left: count, do not ask.
            while try session.number(
                "SELECT count(*) AS value FROM rewardd.schedule WHERE next_slot <= now()"
            ) > 0 {
                handled += try session.runSchedules()
            }
            return handled
        }
        let slots = schedules * 30
        #expect(handled.reduce(0, +) == slots)
        #expect(
            try queue.number(
                "SELECT count(*) AS value FROM rewardd.schedule_slot WHERE outcome = 'enqueued'"
            ) == slots
        )
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.job") == slots)
    }

    @Test("that another session is dealing with are left to it")
    func locked() throws {
        _ = try queue.schedule("a")
        try queue.makeDue("a")
        let other = try queue.another()
        try queue.connection.execute("BEGIN")
        #expect(try queue.runSchedules() == 1)
        #expect(try other.runSchedules() == 0)
        try queue.connection.execute("ROLLBACK")
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.schedule_slot") == 0)
        #expect(try other.runSchedules() == 1)
        #expect(try other.slots("a").count == 1)
    }

    @Test("never enqueue a recorded slot again, whatever became of next_slot")
    func recorded() throws {
        _ = try queue.schedule("a", overlap: "allow")
        try queue.makeMiss("a", days: 0)
        #expect(try queue.runSchedules() == 1)
        try queue.connection.execute(
            "UPDATE rewardd.schedule SET next_slot = next_slot - interval '1 day'"
        )
        #expect(try queue.runSchedules() == 1)
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.job") == 1)
        #expect(try queue.slots("a").count == 1)
    }

    @Test("look through an index for what is due")
    func plan() throws {
        try queue.connection.execute("SET enable_seqscan = off")
        let plan = try queue.connection.execute(
            """
            EXPLAIN (COSTS off) SELECT s.* FROM rewardd.schedule s
            WHERE s.paused_at IS NULL AND s.next_slot <= now() AND s.name <> ALL ('{}')
            ORDER BY s.next_slot LIMIT 1 FOR UPDATE SKIP LOCKED
            """
        ).map { try $0.text("QUERY PLAN") }.joined(separator: "\n")
        #expect(plan.contains("Index Scan using schedule_due"))
        #expect(!plan.contains("Sort"))
    }
}
