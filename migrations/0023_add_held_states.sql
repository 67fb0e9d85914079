-- A state for what an operator has set aside. The functions that use it are in the next file: a value
-- added to a type cannot be used before its transaction has ended.

ALTER TYPE rewardd.job_state ADD VALUE 'held' AFTER 'ready';
ALTER TYPE rewardd.shard_state ADD VALUE 'held' AFTER 'ready';
COMMENT ON TYPE rewardd.job_state IS
    'scheduled (waits for run_at), ready, held (set aside until it is released), running, then one of '
    'completed, failed, cancelled. A job of which only some items failed is completed.';
COMMENT ON TYPE rewardd.shard_state IS
    'scheduled (waits for run_at), ready, held (until its job is released), running, then one of done, '
    'failed, cancelled.';
