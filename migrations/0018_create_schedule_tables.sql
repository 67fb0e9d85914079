-- Schedules: submissions that are repeated by a cron expression, and what became of each slot.

CREATE TABLE rewardd.schedule (
    name text PRIMARY KEY,
    next_slot timestamptz,
    waiting_slot timestamptz,
    paused_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_job bigint,
    items_total int NOT NULL,
    priority smallint,
    cron text NOT NULL,
    time_zone text NOT NULL,
    misfire text NOT NULL CHECK (misfire IN ('coalesce', 'catch_up', 'skip')),
    overlap text NOT NULL CHECK (overlap IN ('allow', 'skip', 'queue')),
    kind text NOT NULL,
    task text,
    model text NOT NULL,
    queue text NOT NULL,
    submitted_by name NOT NULL,
    options jsonb NOT NULL,
    items jsonb NOT NULL
) WITH (fillfactor = 85, autovacuum_vacuum_cost_delay = 0);
-- What the daemons look at every second: nothing when nothing is due.
CREATE INDEX schedule_due ON rewardd.schedule (next_slot) WHERE paused_at IS NULL;
CREATE INDEX schedule_waiting ON rewardd.schedule (waiting_slot)
    WHERE waiting_slot IS NOT NULL AND paused_at IS NULL;
COMMENT ON TABLE rewardd.schedule IS
    'A submission and when to repeat it. Touched for each slot; the items stay where they are.';
COMMENT ON COLUMN rewardd.schedule.name IS 'Its name, one in the database.';
COMMENT ON COLUMN rewardd.schedule.next_slot IS
    'The next time of the expression that has not been dealt with; NULL when none comes within 8 '
    'years.';
COMMENT ON COLUMN rewardd.schedule.waiting_slot IS
    'With overlap queue, the slot that waits for the end of last_job; NULL for none.';
COMMENT ON COLUMN rewardd.schedule.paused_at IS
    'Since when nothing is enqueued for it; NULL when active.';
COMMENT ON COLUMN rewardd.schedule.created_at IS 'When it was created or last replaced.';
COMMENT ON COLUMN rewardd.schedule.last_job IS 'The job it enqueued last.';
COMMENT ON COLUMN rewardd.schedule.items_total IS 'Number of items.';
COMMENT ON COLUMN rewardd.schedule.priority IS 'As in enqueue; NULL for the default of the kind.';
COMMENT ON COLUMN rewardd.schedule.cron IS 'The expression; see create_schedule.';
COMMENT ON COLUMN rewardd.schedule.time_zone IS 'Where the clock hangs that it goes by.';
COMMENT ON COLUMN rewardd.schedule.misfire IS
    'What becomes of missed slots: coalesce, catch_up or skip.';
COMMENT ON COLUMN rewardd.schedule.overlap IS
    'What a slot does while last_job has not ended: allow, skip or queue.';
COMMENT ON COLUMN rewardd.schedule.kind IS 'As in enqueue.';
COMMENT ON COLUMN rewardd.schedule.task IS 'As in enqueue.';
COMMENT ON COLUMN rewardd.schedule.model IS 'As in enqueue.';
COMMENT ON COLUMN rewardd.schedule.queue IS 'As in enqueue.';
COMMENT ON COLUMN rewardd.schedule.submitted_by IS
    'The login role that created it, which its jobs belong to.';
COMMENT ON COLUMN rewardd.schedule.options IS 'As in enqueue.';
COMMENT ON COLUMN rewardd.schedule.items IS 'As in enqueue.';

CREATE TABLE rewardd.schedule_slot (
    name text NOT NULL,
    slot timestamptz NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    job_id bigint,
    planned boolean NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('enqueued', 'waiting', 'skipped', 'refused')),
    reason text,
    PRIMARY KEY (name, slot)
);
COMMENT ON TABLE rewardd.schedule_slot IS
    'Every slot that has come, once: the key is what makes two daemons enqueue it once.';
COMMENT ON COLUMN rewardd.schedule_slot.name IS 'Its schedule.';
COMMENT ON COLUMN rewardd.schedule_slot.slot IS
    'The time of the expression, or of the call of run_schedule.';
COMMENT ON COLUMN rewardd.schedule_slot.at IS 'When it was dealt with.';
COMMENT ON COLUMN rewardd.schedule_slot.job_id IS 'The job enqueued for it, NULL for none.';
COMMENT ON COLUMN rewardd.schedule_slot.planned IS
    'Whether it is one of the expression, false for a call of run_schedule.';
COMMENT ON COLUMN rewardd.schedule_slot.outcome IS
    'enqueued, waiting (for the end of the previous job), skipped or refused.';
COMMENT ON COLUMN rewardd.schedule_slot.reason IS
    'Why it was skipped or waits, or what enqueue said when it refused.';

COMMENT ON COLUMN rewardd.event.type IS
    'enqueued, claimed, finished, released, retried, rescued, cancel_requested, cancelled, '
    'completed, failed, training_progress, daemon_started, daemon_stopped, slot_enqueued, '
    'slot_waiting, slot_skipped, slot_refused.';

CREATE VIEW rewardd.schedule_status WITH (security_barrier) AS
SELECT s.name, s.cron, s.time_zone, s.misfire, s.overlap,
    CASE WHEN s.paused_at IS NULL THEN s.next_slot END AS next_slot, s.waiting_slot, s.paused_at,
    l.slot AS last_slot, l.outcome AS last_outcome, l.reason AS last_reason, s.last_job,
    j.state AS last_job_state, s.kind, s.task, s.model, s.queue, s.priority::int AS priority,
    s.items_total, s.options, s.submitted_by, s.created_at
FROM rewardd.schedule s
LEFT JOIN rewardd.job j ON j.job_id = s.last_job
LEFT JOIN LATERAL (
    SELECT p.slot, p.outcome, p.reason
    FROM rewardd.schedule_slot p
    WHERE p.name = s.name
    ORDER BY p.slot DESC
    LIMIT 1
) AS l ON true
WHERE s.submitted_by = session_user OR (
    SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));
COMMENT ON VIEW rewardd.schedule_status IS
    'Schedules: when they come next (NULL while paused) and what became of the last slot. '
    'Submitters see their own.';

CREATE VIEW rewardd.schedule_history WITH (security_barrier) AS
SELECT p.name, p.slot, p.at, p.planned, p.outcome, p.reason, p.job_id
FROM rewardd.schedule_slot p
JOIN rewardd.schedule s ON s.name = p.name
WHERE s.submitted_by = session_user OR (
    SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));
COMMENT ON VIEW rewardd.schedule_history IS
    'What became of each slot of a schedule. Submitters see those of their own schedules.';

GRANT SELECT ON rewardd.schedule_status, rewardd.schedule_history
    TO rewardd_submit, rewardd_read, rewardd_work, rewardd_admin;
