-- The state of the queue as lines that the model writes too, in one order: jobs, their shards, the results,
-- daemons, paused queues. `number` is what the database calls a shard.
SELECT format('job %s %s %s/%s/%s shards %s%s%s%s%s', j.job_id, j.state, j.items_total, j.items_done,
        j.items_failed, j.shards_total, CASE WHEN j.held_at IS NOT NULL THEN ' held' END,
        CASE WHEN j.cancel_requested_at IS NOT NULL THEN ' cancelling' END,
        CASE WHEN j.started_at IS NOT NULL THEN ' started' END,
        CASE WHEN j.deadline_at IS NOT NULL THEN ' deadline' END)
        || CASE WHEN j.finished_at IS NOT NULL THEN ' ended' ELSE '' END AS line,
    NULL::bigint AS number, 1 AS part, j.job_id AS major, 0::bigint AS minor
FROM rewardd.job j
UNION ALL
SELECT format('shard of %s %s+%s %s d%s f%s a%s c%s%s%s%s', s.job_id, s.first_item, s.item_count, s.state,
        s.items_done, s.items_failed, s.attempts, s.crashes,
        CASE WHEN s.cancel_requested THEN ' stopping' END, ' lease ' || s.lease_token,
        ' by ' || s.daemon_id),
    s.shard_id, 2, s.job_id, s.shard_id
FROM rewardd.shard s
UNION ALL
SELECT format('result of %s %s %s%s', r.job_id, r.item_index, r.state, ' ' || r.error_code), NULL, 3,
    r.job_id, r.item_index
FROM rewardd.item_result r
UNION ALL
SELECT format('daemon %s%s%s%s', d.daemon_id, CASE WHEN d.stopped_at IS NOT NULL THEN ' stopped' END,
        CASE WHEN d.draining THEN ' draining' END, CASE WHEN d.idle THEN ' idle' END),
    NULL, 4, d.daemon_id, 0
FROM rewardd.daemon d
UNION ALL
SELECT 'judgements ' || count(*), NULL, 5, 0, 0
FROM rewardd.judgement
UNION ALL
SELECT 'paused ' || q.name, NULL, 6, row_number() OVER (ORDER BY q.name), 0
FROM rewardd.queue q
WHERE q.paused_at IS NOT NULL
ORDER BY part, major, minor
