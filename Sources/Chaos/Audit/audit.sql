-- The auditor: one row for each way in which the queue is not as it promises to be; none when all holds.
--
-- One statement, so one snapshot: it may run at any moment, in the middle of any fault. Needs the tables
-- of ledger.sql. At most five rows of evidence for each rule, `total` says how many there are.
WITH outcome AS MATERIALIZED (
    SELECT r.job_id, count(*) FILTER (WHERE r.state = 'completed') AS completed,
        count(*) FILTER (WHERE r.state = 'failed') AS failed
    FROM rewardd.item_result r
    GROUP BY r.job_id
), progress AS MATERIALIZED (
    SELECT s.job_id, sum(s.items_done) AS done, sum(s.items_failed) AS failed, count(*) AS shards,
        count(*) FILTER (WHERE s.state IN ('scheduled', 'ready', 'held', 'running')) AS open,
        count(*) FILTER (WHERE s.state = 'running') AS running,
        count(*) FILTER (WHERE s.state = 'held') AS held,
        count(*) FILTER (WHERE s.state IN ('scheduled', 'ready')) AS waiting
    FROM rewardd.shard s
    GROUP BY s.job_id
), job AS MATERIALIZED (
    SELECT j.job_id, j.kind, j.state, j.items_total, j.items_done, j.items_failed, j.shards_total,
        j.state IN ('completed', 'failed', 'cancelled') AS has_ended, j.finished_at,
        j.cancel_requested_at, j.held_at, j.idempotency_key, j.submitted_by, j.queue,
        coalesce(o.completed, 0) AS results_completed, coalesce(o.failed, 0) AS results_failed,
        coalesce(p.done, 0) AS shards_done, coalesce(p.failed, 0) AS shards_failed,
        coalesce(p.shards, 0) AS shards, coalesce(p.open, 0) AS shards_open,
        coalesce(p.running, 0) AS shards_running, coalesce(p.held, 0) AS shards_held,
        coalesce(p.waiting, 0) AS shards_waiting
    FROM rewardd.job j
    LEFT JOIN outcome o ON o.job_id = j.job_id
    LEFT JOIN progress p ON p.job_id = j.job_id
), open_item AS MATERIALIZED (
    -- Which items the open shards cover, and how often.
    SELECT s.job_id, i.item_index, count(*) AS shards
    FROM rewardd.shard s
    CROSS JOIN LATERAL generate_series(s.first_item, s.first_item + s.item_count - 1)
        AS i (item_index)
    WHERE s.state IN ('scheduled', 'ready', 'held', 'running')
    GROUP BY s.job_id, i.item_index
), history AS MATERIALIZED (
    SELECT e.shard_id, count(*) FILTER (WHERE e.type = 'claimed') AS claimed,
        count(*) FILTER (WHERE e.type = 'rescued') AS rescued,
        count(*) FILTER (WHERE e.type IN ('released', 'rescued')
            AND e.data ->> 'state' IN ('ready', 'scheduled', 'held')) AS given_back,
        max(e.event_id) AS last_event
    FROM rewardd.event e
    WHERE e.shard_id IS NOT NULL
        AND e.type IN ('claimed', 'finished', 'released', 'retried', 'rescued', 'revoked')
    GROUP BY e.shard_id
), replayed AS MATERIALIZED (
    -- Each shard with what its last event made of it; NULL for one that was never claimed.
    SELECT s.shard_id, s.job_id, s.state, s.attempts, s.crashes, coalesce(h.claimed, 0) AS claimed,
        coalesce(h.rescued, 0) AS rescued, coalesce(h.given_back, 0) AS given_back, h.last_event,
        CASE WHEN e.type = 'claimed' THEN 'running' ELSE e.data ->> 'state' END AS expected
    FROM rewardd.shard s
    LEFT JOIN history h ON h.shard_id = s.shard_id
    LEFT JOIN rewardd.event e ON e.event_id = h.last_event
), halved AS MATERIALIZED (
    -- Jobs with a halved shard: the halves begin with the attempts and crashes of the whole.
    SELECT DISTINCT s.job_id FROM rewardd.shard s WHERE s.error LIKE 'halved after %'
), last_word AS MATERIALIZED (
    SELECT DISTINCT ON (e.job_id) e.job_id, e.type
    FROM rewardd.event e
    WHERE e.shard_id IS NULL AND e.type IN
        ('enqueued', 'retried', 'cancel_requested', 'deadline_passed', 'held', 'hold_released',
        'cancelled', 'completed', 'failed')
    ORDER BY e.job_id, e.event_id DESC
), seen AS MATERIALIZED (
    SELECT 'judgement' AS kind, encode(j.fingerprint, 'hex') AS key, md5(j::text) AS digest
    FROM rewardd.judgement j
    UNION ALL
    SELECT 'result', r.job_id || '/' || r.item_index, md5(r::text)
    FROM rewardd.item_result r
    UNION ALL
    SELECT 'pair', p.job_id || '/' || p.item_index, md5(p::text)
    FROM rewardd.preference_pair p
    UNION ALL
    SELECT 'event', e.event_id::text, md5(e::text)
    FROM rewardd.event e
    UNION ALL
    SELECT 'job', j.job_id::text, j.kind || ' of ' || j.items_total
    FROM rewardd.job j
    UNION ALL
    SELECT 'key', j.queue || '/' || j.idempotency_key, min(j.job_id)::text
    FROM rewardd.job j
    WHERE j.idempotency_key IS NOT NULL
    GROUP BY 1, 2
), observer AS MATERIALIZED (
    -- Daemons that have been able to notice the death of another for a while.
    SELECT d.daemon_id
    FROM rewardd.daemon d, chaos.setting t
    WHERE d.stopped_at IS NULL AND d.beat_at > clock_timestamp() - interval '5 seconds'
        AND d.started_at < clock_timestamp() - t.patience
        AND pg_postmaster_start_time() < clock_timestamp() - t.patience
), violation (invariant, rule, evidence) AS (
    SELECT 'I1', 'an acknowledged submission is gone or another one', to_jsonb(w) || jsonb_build_object(
        'found', s.digest)
    FROM chaos.witness w
    LEFT JOIN seen s ON s.kind = w.kind AND s.key = w.key
    WHERE w.kind IN ('job', 'key') AND s.digest IS DISTINCT FROM w.digest
    UNION ALL
    SELECT 'I1', 'one idempotency key has several jobs', jsonb_build_object(
        'queue', j.queue, 'key', j.idempotency_key, 'jobs', jsonb_agg(j.job_id))
    FROM job j
    WHERE j.idempotency_key IS NOT NULL
    GROUP BY j.submitted_by, j.queue, j.idempotency_key
    HAVING count(*) > 1
    UNION ALL
    SELECT 'I1', 'state and finished_at of a job disagree', to_jsonb(j)
    FROM job j
    WHERE j.has_ended <> (j.finished_at IS NOT NULL)
    UNION ALL
    SELECT 'I1', 'a job is cancelled that nobody cancelled, or the other way round', to_jsonb(j)
    FROM job j
    WHERE j.has_ended AND (j.state = 'cancelled') <> (j.cancel_requested_at IS NOT NULL)
    UNION ALL
    SELECT 'I1', 'an ended job has open shards', to_jsonb(j)
    FROM job j
    WHERE j.has_ended AND j.shards_open > 0
    UNION ALL
    SELECT 'I1', 'a job has not ended and has no open shard, so it never ends', to_jsonb(j)
    FROM job j
    WHERE NOT j.has_ended AND j.shards_open = 0
    UNION ALL
    SELECT 'I1', 'a shard is running and its job is not', to_jsonb(j)
    FROM job j
    -- Daemons that run parts of a held job have a moment to stop.
    WHERE j.shards_running > 0 AND j.state NOT IN ('running', 'held')
    UNION ALL
    SELECT 'I1', 'state and held_at of a job disagree', to_jsonb(j)
    FROM job j
    WHERE (j.state = 'held') <> (j.held_at IS NOT NULL)
    UNION ALL
    SELECT 'I1', 'a held job has shards that can be claimed, or another job has held ones', to_jsonb(j)
    FROM job j
    WHERE CASE WHEN j.held_at IS NULL THEN j.shards_held ELSE j.shards_waiting END > 0
    UNION ALL
    SELECT 'I1', 'a job has not ended although every fault is over', to_jsonb(j)
    FROM job j, chaos.setting t
    WHERE t.settled AND NOT j.has_ended

    UNION ALL
    SELECT 'I2', 'a committed judgement, result, pair or event is lost or changed',
        to_jsonb(w) || jsonb_build_object('found', s.digest)
    FROM chaos.witness w
    LEFT JOIN seen s ON s.kind = w.kind AND s.key = w.key
    WHERE w.kind IN ('judgement', 'result', 'pair', 'event') AND s.digest IS DISTINCT FROM w.digest
    UNION ALL
    SELECT 'I2', 'a judgement, result or pair is stored twice', jsonb_build_object(
        'kind', s.kind, 'key', s.key, 'times', count(*))
    FROM seen s
    GROUP BY s.kind, s.key
    HAVING count(*) > 1
    UNION ALL
    SELECT 'I2', 'an item rests on a judgement that is not there', jsonb_build_object(
        'job_id', r.job_id, 'item_index', r.item_index, 'fingerprint', encode(f.fingerprint, 'hex'))
    FROM rewardd.item_result r
    CROSS JOIN LATERAL unnest(r.judgements) AS f (fingerprint)
    WHERE NOT EXISTS (
        SELECT FROM rewardd.judgement j WHERE j.fingerprint = f.fingerprint)
    UNION ALL
    SELECT 'I2', 'a result has no item', jsonb_build_object(
        'job_id', r.job_id, 'item_index', r.item_index)
    FROM rewardd.item_result r
    WHERE NOT EXISTS (
        SELECT FROM rewardd.item i WHERE i.job_id = r.job_id AND i.item_index = r.item_index)
    UNION ALL
    SELECT 'I2', 'a job has not as many items as it says', to_jsonb(j) || jsonb_build_object(
        'items', i.items)
    FROM job j
    LEFT JOIN (SELECT i.job_id, count(*) AS items FROM rewardd.item i GROUP BY i.job_id) AS i
        ON i.job_id = j.job_id
    WHERE i.items IS DISTINCT FROM j.items_total
    UNION ALL
    SELECT 'I2', 'a finished job has items without a result', to_jsonb(j)
    FROM job j
    WHERE j.state IN ('completed', 'failed')
        AND j.results_completed + j.results_failed <> j.items_total
    UNION ALL
    SELECT 'I2', 'the counters of an ended job disagree with its results', to_jsonb(j)
    FROM job j
    WHERE j.has_ended
        AND (j.items_done <> j.results_completed OR j.items_failed <> j.results_failed)
    UNION ALL
    SELECT 'I2', 'the counters of the shards of a job disagree with its results', to_jsonb(j)
    FROM job j
    WHERE j.shards_done <> j.results_completed OR j.shards_failed <> j.results_failed
    UNION ALL
    SELECT 'I2', 'a job has not as many shards as it says', to_jsonb(j)
    FROM job j
    WHERE j.shards <> j.shards_total
    UNION ALL
    SELECT 'I2', 'an item of a live job has no result and no open shard', jsonb_build_object(
        'job_id', i.job_id, 'item_index', i.item_index)
    FROM job j
    JOIN rewardd.item i ON i.job_id = j.job_id
    WHERE NOT j.has_ended AND j.cancel_requested_at IS NULL
        AND NOT EXISTS (
            SELECT FROM rewardd.item_result r
            WHERE r.job_id = i.job_id AND r.item_index = i.item_index)
        AND NOT EXISTS (
            SELECT FROM open_item o WHERE o.job_id = i.job_id AND o.item_index = i.item_index)
    UNION ALL
    SELECT 'I2', 'an item is in several open shards', to_jsonb(o)
    FROM open_item o
    WHERE o.shards > 1
    UNION ALL
    SELECT 'I2', 'a preference pair and the result of its item disagree', jsonb_build_object(
        'job_id', coalesce(p.job_id, r.job_id), 'item_index', coalesce(p.item_index, r.item_index),
        'result', r.state, 'pair', p.pair_id)
    FROM (
        SELECT r.job_id, r.item_index, r.state
        FROM rewardd.item_result r
        JOIN rewardd.job j ON j.job_id = r.job_id AND j.kind = 'build_pairs'
        WHERE jsonb_typeof(r.result -> 'pair') = 'object'
    ) AS r
    FULL JOIN rewardd.preference_pair p ON p.job_id = r.job_id AND p.item_index = r.item_index
    WHERE r.job_id IS NULL OR p.job_id IS NULL
    UNION ALL
    SELECT 'I2', 'a sound item failed, or a poisoned one did not', jsonb_build_object(
        'job_id', r.job_id, 'item_index', r.item_index, 'id', i.payload ->> 'id',
        'error_code', r.error_code, 'error', r.error)
    FROM rewardd.item_result r
    JOIN rewardd.item i ON i.job_id = r.job_id AND i.item_index = r.item_index
    WHERE coalesce(r.error_code, '') NOT IN
            ('daemon_crashed', 'attempts_exhausted', 'shard_failed')
        AND CASE WHEN i.payload ->> 'id' LIKE 'poison-%' THEN r.error_code IS NULL
            OR r.error_code NOT LIKE 'media_%' ELSE r.state <> 'completed' END

    UNION ALL
    SELECT 'I3', 'questions were answered again that no interruption explains', to_jsonb(t)
    FROM chaos.setting t
    WHERE t.repeats > t.repeats_allowed

    UNION ALL
    SELECT 'I4', 'a judgement was written without its lease', jsonb_build_object(
        'fingerprint', encode(j.fingerprint, 'hex'), 'shard_id', j.shard_id,
        'lease_token', j.lease_token, 'created_at', j.created_at, 'lease', to_jsonb(l))
    FROM rewardd.judgement j
    LEFT JOIN chaos.lease l ON l.lease_token = j.lease_token
    WHERE (l.shard_id = j.shard_id AND l.job_id = j.job_id
        AND j.item_index BETWEEN l.first_item AND l.first_item + l.item_count - 1
        AND j.created_at >= l.taken_at AND j.created_at <= coalesce(l.ended_at, 'infinity'))
        IS NOT TRUE
    UNION ALL
    SELECT 'I4', 'a result was written without its lease', jsonb_build_object(
        'job_id', r.job_id, 'item_index', r.item_index, 'lease_token', r.lease_token,
        'created_at', r.created_at, 'lease', to_jsonb(l))
    FROM rewardd.item_result r
    LEFT JOIN chaos.lease l ON l.lease_token = r.lease_token
    WHERE (r.lease_token IS NULL AND r.state = 'failed' OR l.job_id = r.job_id
        AND r.item_index BETWEEN l.first_item AND l.first_item + l.item_count - 1
        AND r.created_at >= l.taken_at AND r.created_at <= coalesce(l.ended_at, 'infinity'))
        IS NOT TRUE
    UNION ALL
    SELECT 'I4', 'a shard has a lease and does not run, or runs without one', to_jsonb(s)
    FROM rewardd.shard s
    WHERE (s.state = 'running') <> (s.lease_token IS NOT NULL)
        OR s.state = 'running' AND s.daemon_id IS NULL
    UNION ALL
    SELECT 'I4', 'the lease of a shard is not the one it was given', jsonb_build_object(
        'shard_id', coalesce(s.shard_id, l.shard_id), 'shard_token', s.lease_token,
        'lease', to_jsonb(l))
    FROM (SELECT * FROM rewardd.shard WHERE lease_token IS NOT NULL) AS s
    FULL JOIN (SELECT * FROM chaos.lease WHERE ended_at IS NULL) AS l
        ON l.lease_token = s.lease_token AND l.shard_id = s.shard_id
    WHERE s.shard_id IS NULL OR l.shard_id IS NULL

    UNION ALL
    SELECT 'I4', 'a queue has more leases out than it lets run', jsonb_build_object(
        'queue', q.name, 'max_running', q.max_running, 'running', count(*))
    FROM rewardd.queue q
    JOIN rewardd.shard s ON s.queue = q.name AND s.state = 'running'
    GROUP BY q.name, q.max_running
    HAVING count(*) > q.max_running

    UNION ALL
    SELECT 'I5', 'the attempts of a shard disagree with its claims', to_jsonb(s)
    FROM replayed s
    LEFT JOIN halved h ON h.job_id = s.job_id
    WHERE s.attempts < s.claimed - s.given_back
        OR h.job_id IS NULL AND s.attempts > s.claimed - s.given_back
    UNION ALL
    SELECT 'I5', 'a shard counts more crashes than it was rescued from', to_jsonb(s)
    FROM replayed s
    LEFT JOIN halved h ON h.job_id = s.job_id
    WHERE s.crashes > s.rescued + CASE WHEN h.job_id IS NULL THEN 0 ELSE 2 END
    UNION ALL
    SELECT 'I5', 'a shard was rescued from a living daemon', to_jsonb(e)
    FROM rewardd.event e
    LEFT JOIN rewardd.daemon d ON d.daemon_id = e.daemon_id
    WHERE e.type = 'rescued' AND (d.stopped_at <= e.at) IS NOT TRUE

    UNION ALL
    SELECT 'I6', 'a shard runs under a daemon long dead', to_jsonb(s) || jsonb_build_object(
        'lease_until', d.lease_until, 'stopped_at', d.stopped_at)
    FROM rewardd.shard s
    LEFT JOIN rewardd.daemon d ON d.daemon_id = s.daemon_id
    WHERE s.state = 'running'
        AND (least(d.lease_until, d.stopped_at) > clock_timestamp() - interval '15 seconds')
            IS NOT TRUE
        AND EXISTS (SELECT FROM observer)

    UNION ALL
    SELECT 'I7', 'the events of a shard do not lead to its state', to_jsonb(s)
    FROM replayed s
    WHERE CASE WHEN coalesce(s.expected, 'ready') IN ('ready', 'scheduled', 'held')
        -- Which of the three is a matter of the time and of the job, see above.
        THEN s.state NOT IN ('ready', 'scheduled', 'held') AND NOT (s.state = 'cancelled' AND EXISTS (
            SELECT FROM rewardd.event e
            WHERE e.job_id = s.job_id AND e.type IN ('cancel_requested', 'deadline_passed')
                AND e.event_id > coalesce(s.last_event, 0)))
        ELSE s.state::text <> s.expected END
    UNION ALL
    SELECT 'I7', 'the events of a job do not lead to its state', to_jsonb(j) || jsonb_build_object(
        'last_event', w.type)
    FROM job j
    LEFT JOIN last_word w ON w.job_id = j.job_id
    WHERE CASE WHEN w.type IN ('completed', 'failed', 'cancelled') THEN j.state::text <> w.type
        WHEN w.type IS NULL THEN true
        ELSE j.has_ended OR (w.type = 'held') <> (j.held_at IS NOT NULL)
            OR (w.type IN ('cancel_requested', 'deadline_passed'))
                <> (j.cancel_requested_at IS NOT NULL) END
    UNION ALL
    SELECT 'I7', 'the events of a daemon do not lead to its state', jsonb_build_object(
        'daemon_id', d.daemon_id, 'stopped_at', d.stopped_at, 'started', e.started,
        'stopped', e.stopped)
    FROM rewardd.daemon d
    LEFT JOIN (
        SELECT e.daemon_id, count(*) FILTER (WHERE e.type = 'daemon_started') AS started,
            count(*) FILTER (WHERE e.type = 'daemon_stopped') AS stopped
        FROM rewardd.event e
        GROUP BY e.daemon_id
    ) AS e ON e.daemon_id = d.daemon_id
    WHERE (e.started = 1 AND e.stopped = CASE WHEN d.stopped_at IS NULL THEN 0 ELSE 1 END)
        IS NOT TRUE
), numbered AS (
    SELECT v.invariant, v.rule, v.evidence::text AS evidence,
        row_number() OVER (PARTITION BY v.invariant, v.rule ORDER BY v.evidence::text) AS place,
        count(*) OVER (PARTITION BY v.invariant, v.rule) AS total
    FROM violation v
)
SELECT n.invariant, n.rule, n.evidence, n.total
FROM numbered n
WHERE n.place <= 5
ORDER BY n.invariant, n.rule, n.place
