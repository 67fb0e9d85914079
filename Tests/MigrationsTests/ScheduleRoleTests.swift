import Postgres
import TestSupport
import Testing

@Suite("roles and schedules")
struct ScheduleRoleTests {
    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    private func denied(_ user: QueueFixture, _ statement: String) throws {
        let error = try user.refusal { try user.connection.execute(Query(script: statement)) }
        #expect(error?.sqlState == .insufficientPrivilege, "\(statement)")
    }

    @Test("a submitter sees, changes and runs its own schedules only")
    func submitter() throws {
        let alice = try queue.login("rewardd_submit")
        let bob = try queue.login("rewardd_submit")
        _ = try alice.schedule("nightly")
        try queue.makeDue("nightly")
        let worker = try queue.login("rewardd_work")
        #expect(try worker.runSchedules() == 1)
        for view in ["schedule_status", "schedule_history"] {
            let count: Query = "SELECT count(*) AS value FROM rewardd.\(identifier: view)"
            #expect(try alice.number(count) == 1, "\(view)")
            #expect(try bob.number(count) == 0, "\(view)")
            #expect(try worker.number(count) == 1, "\(view)")
            #expect(try queue.login("rewardd_read").number(count) == 1, "\(view)")
            #expect(try queue.login("rewardd_admin").number(count) == 1, "\(view)")
        }
        for function in ["drop_schedule", "pause_schedule", "resume_schedule", "run_schedule"] {
            let foreign = try bob.refusal {
                try bob.connection.execute("SELECT rewardd.\(identifier: function)('nightly')")
            }
            let unknown = try bob.refusal {
                try bob.connection.execute("SELECT rewardd.\(identifier: function)('missing')")
            }
            #expect(foreign?.sqlState == .noDataFound, "\(function)")
            #expect(
                foreign?.message.replacing("nightly", with: "missing") == unknown?.message
            )
        }
        for replace in [false, true] {
            let taken = try bob.refusal {
                _ = try bob.schedule("nightly", replace: replace)
            }
            #expect(taken?.sqlState == .wrongState)
            #expect(
                taken?.message == "name: expected a free name, got \"nightly\", which is taken"
            )
        }
        let job = try alice.lastJob("nightly")
        #expect(try alice.status(job) == "ready 1 0 0")
        #expect(try bob.list("SELECT kind AS value FROM rewardd.job_status").isEmpty)
        #expect(try alice.cancel(job) == "cancelled")
    }

    @Test("an administrator steers all schedules; a job belongs to the owner whoever runs it")
    func administrator() throws {
        let alice = try queue.login("rewardd_submit")
        _ = try alice.schedule("nightly", cron: "@daily")
        let admin = try queue.login("rewardd_admin")
        let job = try admin.number("SELECT rewardd.run_schedule('nightly') AS value")
        #expect(try alice.status(job) == "ready 1 0 0")
        try admin.connection.execute("SELECT rewardd.pause_schedule('nightly')")
        try admin.connection.execute("SELECT rewardd.resume_schedule('nightly')")
        try denied(admin, "SELECT rewardd.run_due_schedules()")
        try denied(
            admin,
            """
            SELECT rewardd.create_schedule('x', '@daily', 'point_score', '[]', 'image_generation', 'm')
            """
        )
        try admin.connection.execute("SELECT rewardd.drop_schedule('nightly')")
        #expect(try alice.list("SELECT name AS value FROM rewardd.schedule_status").isEmpty)
    }

    @Test("tables and inner functions are out of reach")
    func bounds() throws {
        let users = [
            try queue.login("rewardd_submit"), try queue.login("rewardd_work"),
            try queue.login("rewardd_read"),
        ]
        for user in users {
            for statement in [
                "SELECT * FROM rewardd.schedule", "DELETE FROM rewardd.schedule_slot",
                "UPDATE rewardd.schedule SET submitted_by = 'postgres'",
                "SELECT rewardd._read_cron('@daily')", "SELECT rewardd._own_schedule('x')",
                "SELECT rewardd._enqueue('postgres', 'k', '[]', 't', 'm', '{}', 'q', 0, now(), NULL)",
            ] {
                try denied(user, statement)
            }
        }
        try denied(users[0], "SELECT rewardd.run_due_schedules()")
        for user in users.dropFirst() {
            for function in ["drop_schedule", "pause_schedule", "resume_schedule", "run_schedule"] {
                try denied(user, "SELECT rewardd.\(function)('x')")
            }
        }
        let stranger = try queue.login()
        try denied(stranger, "SELECT * FROM rewardd.schedule_status")
        try denied(stranger, "SELECT rewardd.next_slot('@daily')")
    }

    @Test("an owner who may not enqueue any more enqueues nothing by its schedules")
    func revoked() throws {
        let alice = try queue.login("rewardd_submit")
        _ = try alice.schedule("nightly")
        let name = try alice.text("SELECT session_user AS value")
        try queue.connection.execute("REVOKE rewardd_submit FROM \(identifier: name)")
        try queue.makeDue("nightly")
        #expect(try queue.runSchedules() == 1)
        #expect(
            try queue.slots("nightly")
                == ["0 refused: role \"\(name)\": expected the right to enqueue, got none"]
        )
        let byHand = try queue.refusal {
            try queue.connection.execute("SELECT rewardd.run_schedule('nightly')")
        }
        #expect(byHand?.sqlState == .insufficientPrivilege)
        try queue.connection.execute(
            "UPDATE rewardd.schedule SET submitted_by = 'nobody of this name'"
        )
        try queue.makeDue("nightly")
        #expect(try queue.runSchedules() == 1)
        #expect(try queue.slots("nightly").last?.hasSuffix("got no such role") == true)
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.job") == 0)
    }

    @Test("stored media are the owner's, whoever runs the schedule")
    func media() throws {
        let alice = try queue.login("rewardd_submit")
        let digest = try alice.text("SELECT rewardd.put_media('picture') AS value")
        try alice.connection.execute(
            """
            SELECT rewardd.create_schedule('nightly', '0 0 1 1 *', 'point_score',
                jsonb_build_array(jsonb_build_object('caption', 'c', 'image',
                    jsonb_build_object('media', \(digest)::text))), 'image_generation', 'm')
            """
        )
        try queue.makeDue("nightly")
        let worker = try queue.login("rewardd_work")
        #expect(try worker.runSchedules() == 1)
        #expect(try queue.slots("nightly").first?.hasPrefix("0 enqueued") == true)
    }

    @Test("objects named like ours in the caller's search path are not used")
    func hijack() throws {
        let worker = try queue.login("rewardd_submit", "rewardd_work")
        try worker.connection.executeScript(
            """
            CREATE TEMP TABLE schedule (name text, next_slot timestamptz);
            CREATE TEMP TABLE schedule_slot (name text);
            CREATE TEMP TABLE job (job_id bigint);
            CREATE TEMP TABLE pg_timezone_names (name text);
            CREATE TYPE pg_temp.cron_plan AS (minutes text);
            CREATE FUNCTION pg_temp.lower(text) RETURNS text
                LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''hijacked as %'', current_user; END';
            CREATE FUNCTION pg_temp._enqueue_schedule(rewardd.schedule) RETURNS bigint
                LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''hijacked as %'', current_user; END';
            CREATE FUNCTION pg_temp._first_slot(text, text, timestamptz) RETURNS timestamptz
                LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''hijacked as %'', current_user; END';
            SET search_path = pg_temp, rewardd, pg_catalog
            """
        )
        #expect(try worker.schedule("nightly") == "created")
        try queue.makeDue("nightly")
        #expect(try worker.runSchedules() == 1)
        try worker.connection.execute("SELECT rewardd.run_schedule('nightly')")
        try worker.connection.execute("SELECT rewardd.pause_schedule('nightly')")
        try worker.connection.execute("SELECT rewardd.resume_schedule('nightly')")
        try worker.connection.execute("SELECT rewardd.drop_schedule('nightly')")
    }

    @Test("text in arguments is never SQL, and a condition does not see foreign rows")
    func injection() throws {
        let text = "x'; DROP SCHEMA rewardd CASCADE; --"
        let alice = try queue.login("rewardd_submit")
        _ = try alice.schedule(text)
        try queue.makeDue(text)
        #expect(try queue.runSchedules() == 1)
        let bob = try queue.login("rewardd_submit")
        try bob.connection.execute(
            """
            CREATE FUNCTION pg_temp.leak(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0001
            AS 'BEGIN RAISE EXCEPTION ''seen''; END'
            """
        )
        for view in ["schedule_status", "schedule_history"] {
            let rows = try bob.connection.execute(
                "SELECT * FROM rewardd.\(identifier: view) WHERE pg_temp.leak(name)"
            )
            #expect(rows.isEmpty)
        }
    }
}
