-- Rescue does not wait: one lock that is not free must not keep the dead from being noticed, nor other
-- shards from their rescue. It did, because whatever a rescue had done was undone with it.

CREATE OR REPLACE FUNCTION rewardd.rescue() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET lock_timeout = '250ms'
AS $function$
DECLARE
    shard rewardd.shard;
    rescued int := 0;
BEGIN
    PERFORM _bury_daemons();
    BEGIN
        PERFORM _expire_jobs();
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
        -- The next call comes in a second.
        NULL;
    END;
    -- Any stopped daemon, not only those just buried: a claim that committed late is found too.
    FOR shard IN
        SELECT s.*
        FROM rewardd.shard s
        WHERE s.state = 'running' AND EXISTS (
            SELECT FROM rewardd.daemon d
            WHERE d.daemon_id = s.daemon_id AND d.stopped_at IS NOT NULL)
        ORDER BY s.job_id, s.shard_id
        FOR UPDATE OF s SKIP LOCKED
    LOOP
        BEGIN
            PERFORM _rescue_shard(shard);
            rescued := rescued + 1;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            -- Its job is locked: it stays with the dead until the next call.
            NULL;
        END;
    END LOOP;
    RETURN rescued;
END
$function$;
