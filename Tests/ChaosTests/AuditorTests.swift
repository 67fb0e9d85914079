import Chaos
import Testing

/// A broken promise: the SQL that breaks it, and how the auditor is to name it.
struct PlantedViolation: Sendable, CustomTestStringConvertible {
    let invariant: String
    let rule: String
    let sql: String

    init(_ invariant: String, _ rule: String, _ sql: String) {
        self.invariant = invariant
        self.rule = rule
        self.sql = sql
    }

    var testDescription: String { "\(invariant): \(rule)" }
}

@Suite("The auditor")
struct AuditorTests {
    @Test("finds nothing where all is well, however often it looks")
    func clean() throws {
        let bench = try AuditBench()
        #expect(bench.first == [])
        #expect(try bench.audit() == [])
        // The rest of job 4 does not disturb it either.
        let done = """
            DO $$
            DECLARE lease rewardd.shard;
            BEGIN
                SELECT * INTO lease FROM rewardd.shard WHERE state = 'running';
                PERFORM rewardd.finish_shard(lease.shard_id, lease.lease_token, 'release');
                PERFORM rewardd.cancel(4);
                PERFORM rewardd.retry(4);
                PERFORM rewardd.retry(1);
                PERFORM rewardd.cancel(1);
                PERFORM rewardd.cancel(4);
                PERFORM rewardd.stop_daemon(1);
            END $$
            """
        #expect(try bench.audit(after: done) { $0.isSettled = true } == [])
    }

    @Test("names a planted violation and shows the row", arguments: planted)
    func finds(_ plant: PlantedViolation) throws {
        let bench = try AuditBench()
        let found = try bench.audit(after: plant.sql) { $0.patience = 0 }
        #expect(
            found.contains {
                $0.invariant == plant.invariant && $0.rule.contains(plant.rule) && $0.total >= 1
                    && $0.evidence.hasPrefix("{")
            },
            "\(found)"
        )
    }

    @Test("misses jobs that have not ended when every fault is over")
    func unsettled() throws {
        let found = try AuditBench().audit { $0.isSettled = true }
        #expect(found.map(\.rule) == ["a job has not ended although every fault is over"])
    }

    @Test("counts answers that were given again")
    func repeats() throws {
        let bench = try AuditBench()
        let allowed = try bench.audit {
            $0.repeats = 4
            $0.repeatsAllowed = 4
        }
        #expect(allowed == [])
        let found = try bench.audit {
            $0.repeats = 5
            $0.repeatsAllowed = 4
        }
        #expect(found.map(\.invariant) == ["I3"])
    }

    @Test("gives five rows of evidence and says how many there are")
    func evidence() throws {
        let found = try AuditBench().audit(
            after: """
                INSERT INTO rewardd.item_result (job_id, item_index, state, error_code)
                SELECT 1, n, 'failed', 'x' FROM generate_series(10, 16) AS n
                """
        )
        let rows = found.filter { $0.rule == "a result has no item" }
        #expect(rows.map(\.total) == [7, 7, 7, 7, 7])
    }

    @Test("knows jobs that are held, released, and cancelled by force or by their deadline")
    func held() throws {
        let bench = try AuditBench()
        // Job 4 runs on its first of two shards.
        #expect(try bench.audit(after: "SELECT rewardd.hold(4)") == [])
        let givenBack = """
            SELECT rewardd.finish_shard(shard_id, lease_token, 'release')
            FROM rewardd.shard WHERE state = 'running'
            """
        #expect(try bench.audit(after: givenBack) == [])
        #expect(try bench.audit(after: "SELECT rewardd.release(4)") == [])
        let again = """
            SELECT rewardd.claim_shards(1, '{chaos}', '{default}', 1);
            SELECT rewardd.hold(4)
            """
        #expect(try bench.audit(after: again) == [])
        #expect(try bench.audit(after: "SELECT rewardd.cancel(4, force => true)") == [])
        let late = """
            SELECT rewardd.retry(4);
            SELECT rewardd.set_deadline(4, now() + interval '1 hour');
            UPDATE rewardd.job SET deadline_at = now() - interval '1 second' WHERE job_id = 4;
            SELECT rewardd.rescue()
            """
        #expect(try bench.audit(after: late) { $0.isSettled = true } == [])
    }

    static let planted = jobs + items + leases + histories

    private static let jobs = [
        PlantedViolation("I1", "submission is gone", "DELETE FROM rewardd.job WHERE job_id = 3"),
        PlantedViolation(
            "I1",
            "submission is gone",
            "UPDATE rewardd.job SET idempotency_key = 'two' WHERE job_id = 1"
        ),
        PlantedViolation(
            "I1",
            "several jobs",
            """
            DROP INDEX rewardd.job_idempotency;
            UPDATE rewardd.job SET idempotency_key = 'one' WHERE job_id = 3
            """
        ),
        PlantedViolation(
            "I1",
            "finished_at",
            "UPDATE rewardd.job SET finished_at = NULL WHERE job_id = 1"
        ),
        PlantedViolation(
            "I1",
            "nobody cancelled",
            "UPDATE rewardd.job SET cancel_requested_at = now() WHERE job_id = 1"
        ),
        PlantedViolation(
            "I1",
            "ended job has open shards",
            "UPDATE rewardd.shard SET state = 'ready' WHERE job_id = 1"
        ),
        PlantedViolation(
            "I1",
            "never ends",
            "UPDATE rewardd.shard SET state = 'done', lease_token = NULL WHERE job_id = 4"
        ),
        PlantedViolation(
            "I1",
            "held_at",
            "UPDATE rewardd.job SET held_at = now() WHERE job_id = 4"
        ),
        PlantedViolation(
            "I1",
            "held ones",
            "UPDATE rewardd.shard SET state = 'held' WHERE job_id = 4 AND state = 'ready'"
        ),
        PlantedViolation(
            "I1",
            "can be claimed",
            "UPDATE rewardd.job SET held_at = now(), state = 'held' WHERE job_id = 4"
        ),
        PlantedViolation(
            "I1",
            "running and its job is not",
            "UPDATE rewardd.job SET state = 'ready' WHERE job_id = 4"
        ),
    ]

    private static let items = [
        PlantedViolation("I2", "lost or changed", "DELETE FROM rewardd.judgement"),
        PlantedViolation("I2", "lost or changed", "UPDATE rewardd.judgement SET score = 4"),
        PlantedViolation(
            "I2",
            "lost or changed",
            "UPDATE rewardd.item_result SET result = '{}' WHERE job_id = 2"
        ),
        PlantedViolation("I2", "lost or changed", "DELETE FROM rewardd.event WHERE job_id = 2"),
        PlantedViolation(
            "I2",
            "stored twice",
            """
            ALTER TABLE rewardd.item_result DROP CONSTRAINT item_result_pkey;
            INSERT INTO rewardd.item_result SELECT * FROM rewardd.item_result WHERE job_id = 2
            """
        ),
        PlantedViolation(
            "I2",
            "rests on a judgement",
            """
            UPDATE rewardd.item_result SET judgements = ARRAY[decode(repeat('cd', 32), 'hex')]
            WHERE job_id = 2
            """
        ),
        PlantedViolation(
            "I2",
            "has no item",
            """
            INSERT INTO rewardd.item_result (job_id, item_index, state, error_code)
            VALUES (1, 7, 'failed', 'x')
            """
        ),
        PlantedViolation(
            "I2",
            "as many items",
            "DELETE FROM rewardd.item WHERE job_id = 1 AND item_index = 1"
        ),
        PlantedViolation(
            "I2",
            "without a result",
            "DELETE FROM rewardd.item_result WHERE job_id = 1 AND item_index = 1"
        ),
        PlantedViolation(
            "I2",
            "counters of an ended job",
            "UPDATE rewardd.job SET items_done = 2 WHERE job_id = 1"
        ),
        PlantedViolation(
            "I2",
            "counters of the shards",
            "UPDATE rewardd.shard SET items_done = 0 WHERE job_id = 2"
        ),
        PlantedViolation(
            "I2",
            "as many shards",
            "UPDATE rewardd.job SET shards_total = 9 WHERE job_id = 2"
        ),
        PlantedViolation(
            "I2",
            "no open shard",
            "UPDATE rewardd.shard SET state = 'done' WHERE job_id = 4 AND state = 'ready'"
        ),
        PlantedViolation(
            "I2",
            "several open shards",
            "UPDATE rewardd.shard SET first_item = 0 WHERE job_id = 4"
        ),
        PlantedViolation("I2", "preference pair", "DELETE FROM rewardd.preference_pair"),
        PlantedViolation(
            "I2",
            "sound item failed",
            """
            UPDATE rewardd.item_result SET state = 'failed', error_code = 'unparsed' WHERE job_id = 2
            """
        ),
        PlantedViolation(
            "I2",
            "poisoned one did not",
            """
            UPDATE rewardd.item_result SET state = 'completed', error_code = NULL
            WHERE job_id = 1 AND item_index = 1
            """
        ),
    ]

    private static let leases = [
        PlantedViolation(
            "I4",
            "judgement was written without",
            "UPDATE rewardd.judgement SET lease_token = lease_token + 1000"
        ),
        PlantedViolation(
            "I4",
            "judgement was written without",
            "UPDATE rewardd.judgement SET created_at = clock_timestamp()"
        ),
        PlantedViolation(
            "I4",
            "result was written without",
            "UPDATE rewardd.item_result SET created_at = clock_timestamp() WHERE job_id = 2"
        ),
        PlantedViolation(
            "I4",
            "result was written without",
            "UPDATE rewardd.item_result SET lease_token = NULL WHERE job_id = 2"
        ),
        PlantedViolation(
            "I4",
            "runs without one",
            "UPDATE rewardd.shard SET lease_token = NULL WHERE state = 'running'"
        ),
        PlantedViolation(
            "I4",
            "not the one it was given",
            """
            ALTER TABLE rewardd.shard DISABLE TRIGGER keep_lease;
            UPDATE rewardd.shard SET lease_token = lease_token + 500 WHERE state = 'running'
            """
        ),
        PlantedViolation(
            "I4",
            "not the one it was given",
            """
            UPDATE rewardd.shard s SET lease_token = r.lease_token
            FROM rewardd.item_result r WHERE s.state = 'running' AND r.job_id = 2
            """
        ),
        PlantedViolation(
            "I4",
            "more leases out than it lets run",
            """
            UPDATE rewardd.queue SET max_running = 1;
            UPDATE rewardd.shard SET state = 'running', daemon_id = 1, lease_token = 900 + shard_id
            """
        ),
    ]

    private static let histories = [
        PlantedViolation(
            "I5",
            "attempts",
            "UPDATE rewardd.shard SET attempts = 3 WHERE job_id = 2"
        ),
        PlantedViolation(
            "I5",
            "attempts",
            "UPDATE rewardd.shard SET attempts = 0 WHERE job_id = 2"
        ),
        PlantedViolation("I5", "crashes", "UPDATE rewardd.shard SET crashes = 1 WHERE job_id = 2"),
        PlantedViolation(
            "I5",
            "living daemon",
            """
            INSERT INTO rewardd.event (type, job_id, shard_id, daemon_id, data)
            SELECT 'rescued', s.job_id, s.shard_id, s.daemon_id, '{"state": "ready"}'
            FROM rewardd.shard s WHERE s.state = 'running'
            """
        ),
        PlantedViolation(
            "I6",
            "long dead",
            """
            UPDATE rewardd.daemon SET lease_until = now() - interval '1 minute';
            INSERT INTO rewardd.daemon (host, pid, version, models, queues, lease_until)
            VALUES ('other', 2, '0', '{}', '{}', now() + interval '15 seconds')
            """
        ),
        PlantedViolation(
            "I7",
            "events of a shard",
            "UPDATE rewardd.shard SET state = 'failed' WHERE job_id = 2"
        ),
        PlantedViolation(
            "I7",
            "events of a shard",
            "UPDATE rewardd.shard SET state = 'cancelled' WHERE job_id = 4 AND state = 'ready'"
        ),
        PlantedViolation(
            "I7",
            "events of a job",
            "UPDATE rewardd.job SET state = 'failed' WHERE job_id = 1"
        ),
        PlantedViolation(
            "I7",
            "events of a daemon",
            "UPDATE rewardd.daemon SET stopped_at = now()"
        ),
    ]
}
