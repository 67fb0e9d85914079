-- What is to be done and by whom: queues, jobs, their shards and items, daemons, events.
--
-- No foreign keys here: the functions are the only writers, and a share lock on the parent for
-- every insert is what deadlocks busy queues. Fill factors leave room for updates in place (HOT);
-- vacuum runs early and without pauses because the live tables are small and hot.

CREATE TYPE rewardd.job_state AS ENUM
    ('scheduled', 'ready', 'running', 'completed', 'failed', 'cancelled');
COMMENT ON TYPE rewardd.job_state IS
    'scheduled (waits for run_at), ready, running, then one of completed, failed, cancelled. '
    'A job of which only some items failed is completed.';
CREATE TYPE rewardd.shard_state AS ENUM
    ('scheduled', 'ready', 'running', 'done', 'failed', 'cancelled');
COMMENT ON TYPE rewardd.shard_state IS
    'scheduled (waits for run_at), ready, running, then one of done, failed, cancelled.';

CREATE TABLE rewardd.queue (
    name text PRIMARY KEY,
    paused_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE rewardd.queue IS 'A named lane with its own pause switch.';
COMMENT ON COLUMN rewardd.queue.name IS 'What enqueue calls queue.';
COMMENT ON COLUMN rewardd.queue.paused_at IS
    'Since when nothing is claimed from it; NULL when open.';
COMMENT ON COLUMN rewardd.queue.created_at IS 'When it was created.';
INSERT INTO rewardd.queue (name) VALUES ('default');

CREATE TABLE rewardd.job (
    job_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz,
    cancel_requested_at timestamptz,
    items_total int NOT NULL,
    items_done int NOT NULL DEFAULT 0,
    items_failed int NOT NULL DEFAULT 0,
    shards_total int NOT NULL DEFAULT 0,
    priority smallint NOT NULL,
    state rewardd.job_state NOT NULL,
    kind text NOT NULL,
    task text NOT NULL,
    model text NOT NULL,
    queue text NOT NULL,
    submitted_by name NOT NULL DEFAULT session_user,
    idempotency_key text,
    request_digest bytea,
    options jsonb NOT NULL,
    error text
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE UNIQUE INDEX job_idempotency ON rewardd.job (submitted_by, queue, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX job_submitter ON rewardd.job (submitted_by, job_id);
CREATE INDEX job_live ON rewardd.job (job_id) WHERE finished_at IS NULL;
COMMENT ON TABLE rewardd.job IS
    'One submission. Touched when enqueued, first claimed, cancelled, retried and ended; progress '
    'meanwhile is the sum over its shards.';
COMMENT ON COLUMN rewardd.job.job_id IS 'What enqueue returned.';
COMMENT ON COLUMN rewardd.job.run_at IS 'Not to be started before.';
COMMENT ON COLUMN rewardd.job.created_at IS 'When it was enqueued.';
COMMENT ON COLUMN rewardd.job.started_at IS 'When the first shard was first claimed.';
COMMENT ON COLUMN rewardd.job.finished_at IS 'When it ended; NULL while it is live.';
COMMENT ON COLUMN rewardd.job.cancel_requested_at IS 'When cancel was asked for, NULL otherwise.';
COMMENT ON COLUMN rewardd.job.items_total IS 'Number of items.';
COMMENT ON COLUMN rewardd.job.items_done IS 'Items completed, set when the job ends.';
COMMENT ON COLUMN rewardd.job.items_failed IS 'Items failed, set when the job ends.';
COMMENT ON COLUMN rewardd.job.shards_total IS 'Shards made for it so far, with those of retries.';
COMMENT ON COLUMN rewardd.job.priority IS '-1000 to 1000; the highest is claimed first.';
COMMENT ON COLUMN rewardd.job.state IS 'See the type rewardd.job_state.';
COMMENT ON COLUMN rewardd.job.kind IS 'point_score, pair_rank or build_pairs.';
COMMENT ON COLUMN rewardd.job.task IS 'image_generation or image_understanding.';
COMMENT ON COLUMN rewardd.job.model IS 'Name of the model, as daemons are configured with it.';
COMMENT ON COLUMN rewardd.job.queue IS 'Name of its queue.';
COMMENT ON COLUMN rewardd.job.submitted_by IS 'The login role that enqueued it.';
COMMENT ON COLUMN rewardd.job.idempotency_key IS
    'Caller''s key: one job for each submitter, queue and key.';
COMMENT ON COLUMN rewardd.job.request_digest IS
    'SHA-256 of kind, task, model, options and items, where there is a key.';
COMMENT ON COLUMN rewardd.job.options IS 'Options as given; see the function enqueue.';
COMMENT ON COLUMN rewardd.job.error IS 'Why it failed or was cancelled, one sentence.';

CREATE TABLE rewardd.shard (
    shard_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id bigint NOT NULL,
    lease_token bigint,
    daemon_id bigint,
    run_at timestamptz NOT NULL,
    claimed_at timestamptz,
    progress_at timestamptz,
    first_item int NOT NULL,
    item_count int NOT NULL,
    items_done int NOT NULL DEFAULT 0,
    items_failed int NOT NULL DEFAULT 0,
    priority smallint NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    max_attempts smallint NOT NULL,
    crashes smallint NOT NULL DEFAULT 0,
    state rewardd.shard_state NOT NULL,
    cancel_requested boolean NOT NULL DEFAULT false,
    queue text NOT NULL,
    model text NOT NULL,
    error text
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- Exactly the order in which claim_shards takes shards, so that no claim ever sorts a backlog.
CREATE INDEX shard_ready ON rewardd.shard (queue, model, priority DESC, run_at, shard_id)
    WHERE state = 'ready';
-- Waiting shards are in an index of their own: a million of them do not slow a claim.
CREATE INDEX shard_scheduled ON rewardd.shard (run_at, shard_id) WHERE state = 'scheduled';
CREATE INDEX shard_running ON rewardd.shard (daemon_id) WHERE state = 'running';
CREATE INDEX shard_live ON rewardd.shard (job_id) WHERE state IN ('scheduled', 'ready', 'running');
CREATE INDEX shard_job ON rewardd.shard (job_id, first_item);
CREATE SEQUENCE rewardd.lease_token_sequence;
COMMENT ON SEQUENCE rewardd.lease_token_sequence IS
    'Lease tokens, never given twice. After a failover that lost transactions raise it by 1000000.';
COMMENT ON TABLE rewardd.shard IS
    'Consecutive items of one job: what a daemon claims. The lease_token is its right to write.';
COMMENT ON COLUMN rewardd.shard.shard_id IS 'Its number.';
COMMENT ON COLUMN rewardd.shard.job_id IS 'Its job.';
COMMENT ON COLUMN rewardd.shard.lease_token IS
    'Drawn at each claim, NULL unless running: a daemon with another token has lost the shard.';
COMMENT ON COLUMN rewardd.shard.daemon_id IS 'The daemon running it or the last that did.';
COMMENT ON COLUMN rewardd.shard.run_at IS 'Not to be claimed before; also the order among equals.';
COMMENT ON COLUMN rewardd.shard.claimed_at IS 'Last claim.';
COMMENT ON COLUMN rewardd.shard.progress_at IS 'Last claim or checkpoint that stored something.';
COMMENT ON COLUMN rewardd.shard.first_item IS 'item_index of its first item.';
COMMENT ON COLUMN rewardd.shard.item_count IS 'Number of consecutive items.';
COMMENT ON COLUMN rewardd.shard.items_done IS 'Items completed in this shard.';
COMMENT ON COLUMN rewardd.shard.items_failed IS
    'Items failed in this shard and not re-opened since.';
COMMENT ON COLUMN rewardd.shard.priority IS 'Copied from the job.';
COMMENT ON COLUMN rewardd.shard.attempts IS
    'Claims that count: releases and rescues are given back.';
COMMENT ON COLUMN rewardd.shard.max_attempts IS 'Attempts after which the shard fails.';
COMMENT ON COLUMN rewardd.shard.crashes IS 'Daemons that died with it since it last made progress.';
COMMENT ON COLUMN rewardd.shard.state IS 'See the type rewardd.shard_state.';
COMMENT ON COLUMN rewardd.shard.cancel_requested IS 'Whether its daemon should stop.';
COMMENT ON COLUMN rewardd.shard.queue IS 'Copied from the job.';
COMMENT ON COLUMN rewardd.shard.model IS 'Copied from the job.';
COMMENT ON COLUMN rewardd.shard.error IS 'Reason of the last retry or of its failure.';

CREATE TABLE rewardd.item (
    job_id bigint NOT NULL,
    item_index int NOT NULL,
    payload jsonb NOT NULL,
    PRIMARY KEY (job_id, item_index)
);
COMMENT ON TABLE rewardd.item IS 'One input of a job. Written once by enqueue, never changed.';
COMMENT ON COLUMN rewardd.item.job_id IS 'Its job.';
COMMENT ON COLUMN rewardd.item.item_index IS 'Its place in the array given to enqueue, from 0.';
COMMENT ON COLUMN rewardd.item.payload IS 'The element of that array, as given.';

CREATE TABLE rewardd.daemon (
    daemon_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    beat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until timestamptz NOT NULL,
    stopped_at timestamptz,
    pid int NOT NULL,
    idle boolean NOT NULL DEFAULT false,
    draining boolean NOT NULL DEFAULT false,
    holds_lock boolean NOT NULL DEFAULT false,
    host text NOT NULL,
    version text NOT NULL,
    models text[] NOT NULL,
    queues text[] NOT NULL,
    stop_reason text
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 20, autovacuum_vacuum_cost_delay = 0);
-- No heartbeat touches a column of this index, so heartbeats stay updates in place.
CREATE INDEX daemon_alive ON rewardd.daemon (daemon_id) WHERE stopped_at IS NULL;
COMMENT ON TABLE rewardd.daemon IS
    'One run of one daemon process. The only row its heartbeat writes; ids are never used again.';
COMMENT ON COLUMN rewardd.daemon.daemon_id IS 'Its number, also the key of its advisory lock.';
COMMENT ON COLUMN rewardd.daemon.started_at IS 'When it registered.';
COMMENT ON COLUMN rewardd.daemon.beat_at IS 'Last heartbeat, by the clock of the database.';
COMMENT ON COLUMN rewardd.daemon.lease_until IS 'When it counts as dead unless it beats again.';
COMMENT ON COLUMN rewardd.daemon.stopped_at IS 'When it stopped or was found dead.';
COMMENT ON COLUMN rewardd.daemon.pid IS 'Its process number on its host.';
COMMENT ON COLUMN rewardd.daemon.idle IS
    'Whether it could take more work: enqueue wakes idle ones.';
COMMENT ON COLUMN rewardd.daemon.draining IS 'Whether it was asked to finish what runs and stop.';
COMMENT ON COLUMN rewardd.daemon.holds_lock IS
    'Whether it ever held its advisory lock; only then is a free lock a sign of death.';
COMMENT ON COLUMN rewardd.daemon.host IS 'Its host.';
COMMENT ON COLUMN rewardd.daemon.version IS 'Its version.';
COMMENT ON COLUMN rewardd.daemon.models IS 'Models it can run.';
COMMENT ON COLUMN rewardd.daemon.queues IS 'Queues it serves.';
COMMENT ON COLUMN rewardd.daemon.stop_reason IS 'stopped, lease_expired or connection_lost.';

CREATE TABLE rewardd.event (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    job_id bigint,
    shard_id bigint,
    daemon_id bigint,
    type text NOT NULL,
    data jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX event_job ON rewardd.event (job_id, event_id) WHERE job_id IS NOT NULL;
COMMENT ON TABLE rewardd.event IS 'What happened, in order. Written once, never changed.';
COMMENT ON COLUMN rewardd.event.event_id IS 'Its number; ascending, with gaps.';
COMMENT ON COLUMN rewardd.event.at IS 'When.';
COMMENT ON COLUMN rewardd.event.job_id IS 'The job it is about, if any.';
COMMENT ON COLUMN rewardd.event.shard_id IS 'The shard it is about, if any.';
COMMENT ON COLUMN rewardd.event.daemon_id IS 'The daemon it is about, if any.';
COMMENT ON COLUMN rewardd.event.type IS
    'enqueued, claimed, finished, released, retried, rescued, cancel_requested, cancelled, '
    'completed, failed, daemon_started, daemon_stopped.';
COMMENT ON COLUMN rewardd.event.data IS 'Details, a small object.';
