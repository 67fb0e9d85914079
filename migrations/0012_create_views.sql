-- Reading: views that show a submitter its own jobs and the other roles all of them.
--
-- Each runs with the rights of the owner and is a security barrier: a condition of the caller's
-- that could leak rows is not evaluated before ours. The role test is a subquery so that it is
-- made once for a statement and not for every row.

CREATE VIEW rewardd.job_status WITH (security_barrier) AS
SELECT j.job_id, j.kind, j.task, j.model, j.queue, j.priority::int AS priority, j.state,
    j.items_total,
    CASE WHEN j.finished_at IS NULL THEN p.items_done ELSE j.items_done END AS items_done,
    CASE WHEN j.finished_at IS NULL THEN p.items_failed ELSE j.items_failed END AS items_failed,
    j.shards_total, coalesce(p.shards_running, 0) AS shards_running, j.created_at, j.run_at,
    j.started_at, j.finished_at, j.cancel_requested_at, j.submitted_by, j.idempotency_key, j.error,
    j.options
FROM rewardd.job j
CROSS JOIN LATERAL (
    -- Empty for an ended job, whose totals are in its own row.
    SELECT coalesce(sum(s.items_done), 0)::int AS items_done,
        coalesce(sum(s.items_failed), 0)::int AS items_failed,
        count(*) FILTER (WHERE s.state = 'running')::int AS shards_running
    FROM rewardd.shard s
    WHERE s.job_id = j.job_id AND j.finished_at IS NULL
) AS p
WHERE j.submitted_by = session_user OR (
    SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));
COMMENT ON VIEW rewardd.job_status IS
    'Jobs and how far they are. Submitters see their own. shards_total includes those of retries.';

CREATE VIEW rewardd.result WITH (security_barrier) AS
SELECT r.job_id, r.item_index, i.payload ->> 'id' AS item_id, r.state, r.result, r.error_code,
    r.error, r.created_at
FROM rewardd.item_result r
JOIN rewardd.job j ON j.job_id = r.job_id
JOIN rewardd.item i ON i.job_id = r.job_id AND i.item_index = r.item_index
WHERE j.submitted_by = session_user OR (
    SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));
COMMENT ON VIEW rewardd.result IS
    'Results of items, as they are stored. Submitters see those of their own jobs.';

CREATE VIEW rewardd.pair WITH (security_barrier) AS
SELECT p.job_id, p.item_index, i.payload ->> 'id' AS item_id, p.chosen_index, p.rejected_index,
    p.chosen, p.rejected, p.chosen_score, p.rejected_score, p.margin, p.evidence
FROM rewardd.preference_pair p
JOIN rewardd.job j ON j.job_id = p.job_id
JOIN rewardd.item i ON i.job_id = p.job_id AND i.item_index = p.item_index
WHERE j.submitted_by = session_user OR (
    SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));
COMMENT ON VIEW rewardd.pair IS
    'Preference pairs found by build_pairs. Submitters see those of their own jobs.';

CREATE VIEW rewardd.job_item WITH (security_barrier) AS
SELECT i.job_id, i.item_index, i.payload ->> 'id' AS item_id, i.payload
FROM rewardd.item i
JOIN rewardd.job j ON j.job_id = i.job_id
WHERE j.submitted_by = session_user OR (
    SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));
COMMENT ON VIEW rewardd.job_item IS
    'Items as they were enqueued. Submitters see those of their own jobs.';

CREATE VIEW rewardd.job_event WITH (security_barrier) AS
SELECT e.event_id, e.at, e.type, e.job_id, e.shard_id, e.daemon_id, e.data
FROM rewardd.event e
WHERE (
        SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
            OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
            OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'))
    OR EXISTS (
        SELECT FROM rewardd.job j
        WHERE j.job_id = e.job_id AND j.submitted_by = session_user);
COMMENT ON VIEW rewardd.job_event IS
    'What happened. Submitters see the events of their own jobs; those of daemons have no job.';

CREATE VIEW rewardd.job_judgement WITH (security_barrier) AS
SELECT u.job_id, u.item_index, g.fingerprint, u.reused,
    CASE WHEN NOT u.reused THEN g.shard_id END AS shard_id,
    CASE WHEN NOT u.reused THEN g.lease_token END AS lease_token,
    g.kind, g.task, g.model, g.model_digest, g.template_id, g.template_digest, g.answer_mode,
    g.presentation_order, g.raw_response, g.verdict, g.score, g.scale_minimum, g.scale_maximum,
    g.spread, g.probabilities, g.prompt_tokens, g.generated_tokens, g.seconds, g.created_at
FROM (
    SELECT o.job_id, o.item_index, o.fingerprint, false AS reused
    FROM rewardd.judgement o
    UNION ALL
    -- Answers found instead of asked: those an item rests on that another item stored.
    SELECT r.job_id, r.item_index, f.fingerprint, true AS reused
    FROM rewardd.item_result r
    CROSS JOIN LATERAL unnest(r.judgements) AS f (fingerprint)
    WHERE NOT EXISTS (
        SELECT FROM rewardd.judgement o
        WHERE o.fingerprint = f.fingerprint AND o.job_id = r.job_id
            AND o.item_index = r.item_index)
) AS u
JOIN rewardd.job j ON j.job_id = u.job_id
JOIN rewardd.judgement g ON g.fingerprint = u.fingerprint
WHERE j.submitted_by = session_user OR (
    SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));
COMMENT ON VIEW rewardd.job_judgement IS
    'The judgements an item rests on; reused tells those that an earlier item had asked. '
    'Submitters see those of their own jobs.';

CREATE VIEW rewardd.daemon_status AS
SELECT d.daemon_id, d.host, d.pid, d.version, d.models, d.queues, d.started_at, d.beat_at,
    d.lease_until, d.idle, d.draining, d.stopped_at, d.stop_reason,
    CASE WHEN d.stopped_at IS NOT NULL THEN 'stopped'
        WHEN d.lease_until < clock_timestamp() THEN 'dead'
        WHEN d.draining THEN 'draining'
        WHEN d.idle THEN 'idle'
        ELSE 'busy' END AS state,
    (SELECT count(*)::int FROM rewardd.shard s
        WHERE s.state = 'running' AND s.daemon_id = d.daemon_id) AS shards_running
FROM rewardd.daemon d;
COMMENT ON VIEW rewardd.daemon_status IS
    'Daemons: stopped, dead (to be rescued), draining, idle (could take more) or busy.';

CREATE VIEW rewardd.queue_status AS
SELECT q.name, q.paused_at, coalesce(c.scheduled, 0) AS scheduled, coalesce(c.ready, 0) AS ready,
    coalesce(c.running, 0) AS running
FROM rewardd.queue q
LEFT JOIN (
    SELECT s.queue, count(*) FILTER (WHERE s.state = 'scheduled')::int AS scheduled,
        count(*) FILTER (WHERE s.state = 'ready')::int AS ready,
        count(*) FILTER (WHERE s.state = 'running')::int AS running
    FROM rewardd.shard s
    WHERE s.state IN ('scheduled', 'ready', 'running')
    GROUP BY s.queue
) AS c ON c.queue = q.name;
COMMENT ON VIEW rewardd.queue_status IS 'Queues and how many shards are in each live state.';

GRANT SELECT ON rewardd.job_status, rewardd.result, rewardd.pair, rewardd.job_item,
    rewardd.job_event, rewardd.job_judgement
    TO rewardd_submit, rewardd_read, rewardd_work, rewardd_admin;
GRANT SELECT ON rewardd.daemon_status, rewardd.queue_status
    TO rewardd_read, rewardd_work, rewardd_admin;
