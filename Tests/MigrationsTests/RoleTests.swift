import Postgres
import TestSupport
import Testing

@Suite("roles")
struct RoleTests {
    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    private func denied(_ user: QueueFixture, _ statement: String) throws {
        let error = try user.refusal { try user.connection.execute(Query(script: statement)) }
        #expect(error?.sqlState == .insufficientPrivilege, "\(statement)")
    }

    @Test("a submitter enqueues, and sees, cancels and retries its own jobs only")
    func submitter() throws {
        let alice = try queue.login("rewardd_submit")
        let bob = try queue.login("rewardd_submit")
        let job = try alice.enqueue(items: 2, key: "k")
        #expect(try bob.enqueue(items: 2, key: "k") != job)
        let daemon = try queue.register()
        let lease = try #require(try queue.claim(daemon, max: 2).first { $0.job == job })
        _ = try queue.checkpoint(
            lease,
            judgements: #"""
                [{"item_index": 0, "fingerprint": "\#(String(repeating: "0", count: 64))", "kind":
                "point_score", "template_id": "t", "answer_mode": "choices"}]
                """#,
            results: #"""
                [{"item_index": 0, "state": "completed", "result": {}, "pair": {"chosen_index": 0,
                "rejected_index": 1, "chosen": "a", "rejected": "b"}}]
                """#
        )
        for view in ["job_status", "result", "pair", "job_item", "job_event", "job_judgement"] {
            let count: Query =
                "SELECT count(*) AS value FROM rewardd.\(identifier: view) WHERE job_id = \(job)"
            #expect(try alice.number(count) > 0, "\(view)")
            #expect(try bob.number(count) == 0, "\(view)")
        }
        let foreign = try bob.refusal { _ = try bob.cancel(job) }
        let unknown = try bob.refusal { _ = try bob.cancel(4711) }
        #expect(foreign?.sqlState == .noDataFound)
        #expect(
            foreign?.message.replacing("\(job)", with: "4711", maxReplacements: 1)
                == unknown?.message
        )
        #expect(try bob.refusal { _ = try bob.retry(job) }?.sqlState == .noDataFound)
        #expect(try alice.cancel(job) == "running")
        _ = try queue.finish(lease, "release")
        #expect(try alice.retry(job) == 1)
    }

    @Test("a submitter reaches no table, no worker function and no admin function")
    func submitterBounds() throws {
        let alice = try queue.login("rewardd_submit")
        try alice.enqueue()
        for table in [
            "job", "shard", "item", "item_result", "judgement", "preference_pair", "daemon",
            "queue",
            "event", "media", "media_upload", "schema_version", "daemon_status", "queue_status",
        ] {
            try denied(alice, "SELECT * FROM rewardd.\(table)")
        }
        for statement in [
            "UPDATE rewardd.job SET priority = 1000", "DELETE FROM rewardd.item",
            "INSERT INTO rewardd.queue (name) VALUES ('x')", "CREATE TABLE rewardd.x ()",
            "SELECT nextval('rewardd.lease_token_sequence')",
            "SELECT rewardd.claim_shards(1, '{m}', '{default}', 1)",
            "SELECT rewardd.checkpoint(1, 1, '[]', '[]')",
            "SELECT rewardd.finish_shard(1, 1, 'done')",
            "SELECT rewardd.register_daemon('h', 1, 'v', '{}', '{}')", "SELECT rewardd.rescue()",
            "SELECT rewardd.heartbeat(1, true)", "SELECT rewardd.stop_daemon(1)",
            "SELECT rewardd.hold_daemon_lock(1)", "SELECT rewardd.cancelled_shards(1)",
            "SELECT rewardd.find_judgements('{}')", "SELECT rewardd.get_media('')",
            "SELECT rewardd.pause_queue('default')", "SELECT rewardd.create_queue('x')",
            "SELECT rewardd.drain_daemon(1)", "SELECT rewardd._settle_job(1)",
            "SET ROLE rewardd_owner",
        ] {
            try denied(alice, statement)
        }
    }

    @Test("a condition with side effects does not see other submitters' rows")
    func barrier() throws {
        let alice = try queue.login("rewardd_submit")
        try alice.enqueue(options: #"{"shard_size": 7}"#)
        let bob = try queue.login("rewardd_submit")
        try bob.connection.execute(
            """
            CREATE FUNCTION pg_temp.leak(value jsonb) RETURNS boolean LANGUAGE plpgsql COST 0.0001
            AS 'BEGIN RAISE EXCEPTION ''seen''; END'
            """
        )
        for statement in [
            "SELECT * FROM rewardd.job_status WHERE pg_temp.leak(options)",
            "SELECT * FROM rewardd.job_item WHERE pg_temp.leak(payload)",
            "SELECT * FROM rewardd.job_event WHERE pg_temp.leak(data)",
        ] {
            #expect(try bob.connection.execute(Query(script: statement)).isEmpty)
        }
    }

    @Test("objects named like ours in the caller's search path are not used")
    func hijack() throws {
        let alice = try queue.login("rewardd_submit")
        try alice.connection.executeScript(
            """
            CREATE TEMP TABLE job (job_id bigint, queue text, idempotency_key text);
            CREATE TEMP TABLE queue (name text);
            CREATE TEMP TABLE shard (job_id bigint);
            CREATE FUNCTION pg_temp._check_item(text[], text[], text, bigint, jsonb) RETURNS boolean
                LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''hijacked as %'', current_user; END';
            CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea
                LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''hijacked as %'', current_user; END';
            CREATE FUNCTION pg_temp._wake(text) RETURNS void
                LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''hijacked as %'', current_user; END';
            SET search_path = pg_temp, rewardd, pg_catalog
            """
        )
        let job = try alice.enqueue(items: 2, key: "k")
        #expect(try queue.status(job) == "ready 2 0 0")
        #expect(try alice.cancel(job) == "cancelled")
        #expect(try alice.retry(job) == 2)
    }

    @Test("text in arguments is never SQL")
    func injection() throws {
        let text = "x'; DROP SCHEMA rewardd CASCADE; --"
        let job = try queue.enqueue(model: text, key: text)
        let daemon = try queue.register(models: [text])
        let lease = try queue.claim(daemon, models: [text])[0]
        _ = try queue.finish(lease, "fail", error: text)
        #expect(try queue.status(job) == "failed 1 0 1")
    }

    @Test("a reader sees everything and changes nothing")
    func reader() throws {
        let job = try queue.login("rewardd_submit").enqueue()
        let reader = try queue.login("rewardd_read")
        #expect(try reader.status(job) == "ready 1 0 0")
        #expect(try reader.number("SELECT ready AS value FROM rewardd.queue_status") == 1)
        #expect(try reader.number("SELECT count(*) AS value FROM rewardd.daemon_status") == 0)
        for statement in [
            "SELECT rewardd.cancel(\(job))", "SELECT rewardd.retry(\(job))",
            "SELECT rewardd.enqueue('point_score', '[]', 'image_generation', 'm')",
            "SELECT rewardd.put_media('x')", "SELECT * FROM rewardd.job",
            "SELECT rewardd.claim_shards(1, '{m}', '{default}', 1)",
        ] {
            try denied(reader, statement)
        }
    }

    @Test("a worker works and an administrator steers, each without the other's rights")
    func workerAndAdmin() throws {
        let job = try queue.login("rewardd_submit").enqueue(items: 2)
        let worker = try queue.login("rewardd_work")
        let admin = try queue.login("rewardd_admin")
        let daemon = try worker.register()
        let lease = try worker.claim(daemon)[0]
        #expect(try worker.checkpoint(lease, completed: [0]) == "ok")
        try denied(worker, "SELECT rewardd.cancel(\(job))")
        try denied(worker, "SELECT rewardd.pause_queue('default')")
        try denied(worker, "SELECT * FROM rewardd.shard")
        #expect(try admin.cancel(job) == "running")
        #expect(try worker.finish(lease, "release") == "cancel")
        #expect(try admin.retry(job) == 1)
        try admin.connection.execute("SELECT rewardd.create_queue('night')")
        try denied(admin, "SELECT rewardd.rescue()")
        try denied(admin, "DELETE FROM rewardd.job")
        for user in [worker, admin] {
            #expect(try user.number("SELECT rewardd.schema_version() AS value") > 0)
            #expect(try user.number("SELECT rewardd.breaking_version() AS value") == 0)
            #expect(try user.status(job) == "ready 2 1 0")
        }
    }

    @Test("a login without a role gets nowhere")
    func stranger() throws {
        let stranger = try queue.login()
        try denied(stranger, "SELECT * FROM rewardd.job_status")
        try denied(stranger, "SELECT rewardd.schema_version()")
    }
}
