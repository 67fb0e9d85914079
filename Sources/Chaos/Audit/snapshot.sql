-- What is committed now and may never be lost or changed: one row for each, with a digest of all it says.
-- Failed results are left out, because retry takes them back.
SELECT 'judgement' AS kind, encode(j.fingerprint, 'hex') AS key, md5(j::text) AS digest
FROM rewardd.judgement j
UNION ALL
SELECT 'result', r.job_id || '/' || r.item_index, md5(r::text)
FROM rewardd.item_result r
WHERE r.state = 'completed'
UNION ALL
SELECT 'pair', p.job_id || '/' || p.item_index, md5(p::text)
FROM rewardd.preference_pair p
UNION ALL
SELECT 'event', e.event_id::text, md5(e::text)
FROM rewardd.event e
