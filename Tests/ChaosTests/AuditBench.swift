import Chaos
import Postgres
import TestSupport

/// A small database in which all is well, and an auditor who has looked at it once: job 1 completed, job 2
/// with a preference pair, job 3 cancelled, job 4 running on its first of two shards.
final class AuditBench {
    let connection: Connection
    private let database: TemporaryDatabase
    private var auditor = Auditor()
    /// What the first look found.
    let first: [Violation]

    init() throws {
        database = try TemporaryDatabase.migrated()
        connection = try database.connect()
        try Auditor.install(connection)
        _ = try connection.executeScript(Self.story)
        for (job, kind, items) in [
            (1, "point_score", 2), (2, "build_pairs", 1), (3, "point_score", 1),
            (4, "point_score", 2),
        ] {
            auditor.witness.acknowledged(
                job: Int64(job),
                kind: kind,
                items: items,
                queue: "default",
                key: job == 1 ? "one" : nil
            )
        }
        first = try auditor.audit(connection)
    }

    /// Breaks something and looks again.
    func audit(
        after sql: String = "SELECT 1",
        _ change: (inout Auditor.Circumstances) -> Void = { _ in }
    ) throws -> [Violation] {
        _ = try connection.executeScript(sql)
        var circumstances = Auditor.Circumstances()
        change(&circumstances)
        return try auditor.audit(connection, circumstances)
    }

    private static let story = """
        DO $story$
        DECLARE
            lease record;
            host bigint := rewardd.register_daemon('host', 1, '0', '{chaos}', '{default}');
        BEGIN
            PERFORM rewardd.enqueue('point_score', '[
                {"id": "sound-0", "caption": "a", "image": "/x/0.ppm"},
                {"id": "poison-1", "caption": "b", "image": "/x/missing.ppm"}]',
                'image_generation', 'chaos', '{"shard_size": 1}', idempotency_key => 'one');
            FOR lease IN SELECT * FROM rewardd.claim_shards(host, '{chaos}', '{default}', 9) LOOP
                PERFORM rewardd.checkpoint(lease.shard_id, lease.lease_token,
                    CASE WHEN lease.first_item = 0 THEN jsonb_build_array(jsonb_build_object(
                        'fingerprint', repeat('ab', 32), 'item_index', 0, 'kind', 'point_score',
                        'template_id', 't', 'answer_mode', 'choices', 'score', 3)) END,
                    jsonb_build_array(CASE WHEN lease.first_item = 0 THEN jsonb_build_object(
                        'item_index', 0, 'state', 'completed', 'result', '{"score": 3}'::jsonb,
                        'judgements', jsonb_build_array(repeat('ab', 32)))
                    ELSE jsonb_build_object('item_index', 1, 'state', 'failed',
                        'error_code', 'media_not_found', 'error', 'no such file') END));
                PERFORM rewardd.finish_shard(lease.shard_id, lease.lease_token, 'done');
            END LOOP;
            PERFORM rewardd.enqueue('build_pairs', '[
                {"id": "sound-0", "caption": "a", "candidates": ["/x/0.ppm", "/x/1.ppm"]}]',
                'image_generation', 'chaos');
            FOR lease IN SELECT * FROM rewardd.claim_shards(host, '{chaos}', '{default}', 9) LOOP
                PERFORM rewardd.checkpoint(lease.shard_id, lease.lease_token, NULL, '[
                    {"item_index": 0, "state": "completed", "result": {"pair": {"chosen": 0}},
                     "pair": {"chosen_index": 0, "rejected_index": 1, "chosen": "/x/0.ppm",
                        "rejected": "/x/1.ppm"}}]');
                PERFORM rewardd.finish_shard(lease.shard_id, lease.lease_token, 'done');
            END LOOP;
            PERFORM rewardd.enqueue('point_score', '[
                {"id": "sound-0", "caption": "a", "image": "/x/0.ppm"}]',
                'image_generation', 'chaos');
            PERFORM rewardd.cancel(3, 'not wanted');
            PERFORM rewardd.enqueue('point_score', '[
                {"id": "sound-0", "caption": "c", "image": "/x/0.ppm"},
                {"id": "sound-1", "caption": "d", "image": "/x/1.ppm"}]',
                'image_generation', 'chaos', '{"shard_size": 1}');
            PERFORM rewardd.claim_shards(host, '{chaos}', '{default}', 1);
        END
        $story$
        """
}
