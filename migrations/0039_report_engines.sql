-- Engines on servers: what each daemon finds about those it asks, for operators.

CREATE TABLE rewardd.engine (
    daemon_id bigint NOT NULL,
    model text NOT NULL,
    url text NOT NULL,
    served_model text,
    reachable boolean,
    in_flight int NOT NULL,
    answered bigint NOT NULL,
    failed bigint NOT NULL,
    error text,
    error_at timestamptz,
    reported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (daemon_id, model)
);
COMMENT ON TABLE rewardd.engine IS
    'Servers that daemons ask in place of computing, as each daemon last found them.';
COMMENT ON COLUMN rewardd.engine.daemon_id IS 'The daemon that asks.';
COMMENT ON COLUMN rewardd.engine.model IS 'The name that jobs use.';
COMMENT ON COLUMN rewardd.engine.url IS 'Where the server answers; never with a key in it.';
COMMENT ON COLUMN rewardd.engine.served_model IS
    'The name that the server knows the model by; NULL until it has said so.';
COMMENT ON COLUMN rewardd.engine.reachable IS
    'Whether the last request reached it; NULL before the first.';
COMMENT ON COLUMN rewardd.engine.in_flight IS 'Requests of this daemon that wait for its answer.';
COMMENT ON COLUMN rewardd.engine.answered IS 'Requests it answered since the daemon started.';
COMMENT ON COLUMN rewardd.engine.failed IS 'Tries that got no answer since the daemon started.';
COMMENT ON COLUMN rewardd.engine.error IS 'The sentence of the last of those.';
COMMENT ON COLUMN rewardd.engine.error_at IS 'When that was, by the clock of the daemon.';
COMMENT ON COLUMN rewardd.engine.reported_at IS 'When the daemon last said so.';

CREATE FUNCTION rewardd.report_engines(daemon_id bigint, engines jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    element jsonb;
BEGIN
    IF jsonb_typeof(report_engines.engines) IS DISTINCT FROM 'array' THEN
        RAISE EXCEPTION 'engines: expected an array, got %',
            coalesce(jsonb_typeof(report_engines.engines), 'nothing')
            USING ERRCODE = '22023', HINT = 'Give an empty array for none.';
    END IF;
    FOR element IN SELECT e FROM jsonb_array_elements(report_engines.engines) AS t (e) LOOP
        PERFORM _check_name('engines[].model', element ->> 'model', 200);
        PERFORM _check_name('engines[].url', element ->> 'url', 1000);
    END LOOP;
    IF NOT EXISTS (
        SELECT FROM rewardd.daemon d
        WHERE d.daemon_id = report_engines.daemon_id AND d.stopped_at IS NULL)
    THEN
        RETURN false;
    END IF;
    IF NOT EXISTS (
        SELECT FROM rewardd.engine n WHERE n.daemon_id = report_engines.daemon_id)
    THEN
        -- The first report of a daemon: those long gone are forgotten.
        DELETE FROM rewardd.engine n
        USING rewardd.daemon d
        WHERE d.daemon_id = n.daemon_id AND d.stopped_at < clock_timestamp() - interval '7 days';
    END IF;
    WITH told AS MATERIALIZED (
        SELECT DISTINCT ON (t.model) t.*
        FROM jsonb_to_recordset(report_engines.engines) AS t (
            model text, url text, served_model text, reachable boolean, in_flight int,
            answered bigint, failed bigint, error text, error_at timestamptz)
        ORDER BY t.model
    ), gone AS (
        DELETE FROM rewardd.engine n
        WHERE n.daemon_id = report_engines.daemon_id
            AND NOT EXISTS (SELECT FROM told t WHERE t.model = n.model)
    )
    INSERT INTO rewardd.engine AS n (daemon_id, model, url, served_model, reachable, in_flight,
        answered, failed, error, error_at)
    SELECT report_engines.daemon_id, t.model, t.url, left(t.served_model, 1000), t.reachable,
        coalesce(t.in_flight, 0), coalesce(t.answered, 0), coalesce(t.failed, 0),
        left(t.error, 1000), t.error_at
    FROM told t
    ON CONFLICT (daemon_id, model) DO UPDATE
    SET url = excluded.url, served_model = excluded.served_model, reachable = excluded.reachable,
        in_flight = excluded.in_flight, answered = excluded.answered, failed = excluded.failed,
        error = excluded.error, error_at = excluded.error_at, reported_at = clock_timestamp();
    RETURN true;
END
$function$;
COMMENT ON FUNCTION rewardd.report_engines(bigint, jsonb) IS
$comment$Records what a daemon finds about the servers it asks, in place of what it said before.

engines  an array of objects: model and url, both needed; served_model, reachable (null for not
         known), in_flight, answered, failed, error (cut to 1000 characters), error_at.

False for a daemon that is stopped or unknown. Errors: 22023 for what is no such array, 22P02 or
22003 for a value of another type. Role: rewardd_work.$comment$;

CREATE VIEW rewardd.engine_status AS
SELECT n.daemon_id, d.host, n.model, n.url, n.served_model,
    CASE WHEN d.stopped_at IS NOT NULL THEN 'stopped'
        WHEN n.reachable IS NULL THEN 'unknown'
        WHEN n.reachable THEN 'reachable'
        ELSE 'unreachable' END AS state,
    n.in_flight, n.answered, n.failed, n.error, n.error_at, n.reported_at
FROM rewardd.engine n
JOIN rewardd.daemon d ON d.daemon_id = n.daemon_id;
COMMENT ON VIEW rewardd.engine_status IS
    'Servers that daemons ask: reachable, unreachable, unknown (not asked yet) or stopped (the '
    'daemon has), with what is in flight and the last error.';

REVOKE ALL ON FUNCTION rewardd.report_engines(bigint, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.report_engines(bigint, jsonb) TO rewardd_work;
GRANT SELECT ON rewardd.engine_status TO rewardd_read, rewardd_work, rewardd_admin;
