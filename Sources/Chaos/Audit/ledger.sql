-- What the auditor keeps beside the queue, in a schema of its own: who held which lease and when, and
-- what the bench saw with its own eyes. Installed once, by the superuser of a database that is there
-- to be tested; nothing of the queue reads it.

CREATE SCHEMA chaos;

CREATE TABLE chaos.lease (
    lease_token bigint PRIMARY KEY,
    shard_id bigint NOT NULL,
    job_id bigint NOT NULL,
    daemon_id bigint,
    first_item int NOT NULL,
    item_count int NOT NULL,
    taken_at timestamptz NOT NULL,
    ended_at timestamptz
);
COMMENT ON TABLE chaos.lease IS
    'Every lease there ever was. Written by a trigger while the row of the shard is locked, so its '
    'times enclose every honest write under the lease.';

CREATE FUNCTION chaos.keep_lease() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, chaos, pg_temp
AS $function$
BEGIN
    IF OLD.lease_token IS NOT NULL THEN
        UPDATE chaos.lease l
        SET ended_at = clock_timestamp()
        WHERE l.lease_token = OLD.lease_token;
    END IF;
    IF NEW.lease_token IS NOT NULL THEN
        INSERT INTO chaos.lease (lease_token, shard_id, job_id, daemon_id, first_item, item_count,
            taken_at)
        VALUES (NEW.lease_token, NEW.shard_id, NEW.job_id, NEW.daemon_id, NEW.first_item,
            NEW.item_count, clock_timestamp())
        ON CONFLICT (lease_token) DO UPDATE SET shard_id = 0;
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION chaos.keep_lease() IS
    'Notes the end of one lease and the beginning of another; a token given twice is spoilt, so '
    'that the auditor finds it.';

CREATE TRIGGER keep_lease AFTER UPDATE ON rewardd.shard
    FOR EACH ROW WHEN (OLD.lease_token IS DISTINCT FROM NEW.lease_token)
    EXECUTE FUNCTION chaos.keep_lease();

CREATE UNLOGGED TABLE chaos.witness (
    kind text NOT NULL,
    key text NOT NULL,
    digest text NOT NULL,
    PRIMARY KEY (kind, key)
);
COMMENT ON TABLE chaos.witness IS
    'What the bench has seen committed and must find again: judgement, result, pair, event, job '
    '(acknowledged submissions) and key (idempotency keys). Written anew from the memory of the '
    'bench before every audit, so that a crash of the server cannot take the evidence with it.';

CREATE UNLOGGED TABLE chaos.setting (
    settled boolean NOT NULL,
    patience interval NOT NULL,
    answers bigint NOT NULL,
    repeats bigint NOT NULL,
    repeats_allowed bigint NOT NULL
);
COMMENT ON TABLE chaos.setting IS
    'One row. settled: all faults are over and every job must have ended. patience: how long a '
    'daemon must be up before it is expected to have noticed the dead. answers, repeats: answers '
    'the engines gave, and those of them to questions answered before; repeats_allowed: as many as '
    'the interruptions so far explain.';
