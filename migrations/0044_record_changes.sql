-- The record of what the schema is made of is rewritten where it changed, not as a whole by each migration, which left
-- eleven thousand dead rows behind a schema made anew. Those go too.

CREATE OR REPLACE FUNCTION rewardd._record_objects(drift jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
AS $function$
BEGIN
    WITH object AS MATERIALIZED (
        SELECT o.kind, o.name, o.parent, coalesce(o.definition, '') AS definition,
            current_setting('server_version_num')::int / 10000 AS server_major
        FROM rewardd._objects() o
    ), untouched AS MATERIALIZED (
        SELECT d.key
        FROM jsonb_each_text(coalesce(drift, '{}')) d
        LEFT JOIN object o ON concat(o.kind, ' ', o.name) = d.key
        WHERE coalesce(o.definition, '') = coalesce(d.value, '')
            AND (o.name IS NULL) = (d.value IS NULL)
    ), removed AS (
        DELETE FROM rewardd.schema_object r
        WHERE NOT EXISTS (SELECT FROM untouched u WHERE u.key = concat(r.kind, ' ', r.name))
            AND NOT EXISTS (SELECT FROM object o WHERE o.kind = r.kind AND o.name = r.name)
    )
    INSERT INTO rewardd.schema_object AS r (kind, name, parent, definition, server_major)
    SELECT o.*
    FROM object o
    WHERE NOT EXISTS (SELECT FROM untouched u WHERE u.key = concat(o.kind, ' ', o.name))
    ON CONFLICT (kind, name) DO UPDATE
    SET parent = EXCLUDED.parent, definition = EXCLUDED.definition,
        server_major = EXCLUDED.server_major
    WHERE (r.parent, r.definition, r.server_major)
        IS DISTINCT FROM (EXCLUDED.parent, EXCLUDED.definition, EXCLUDED.server_major);
END
$function$;

DO $compact$
DECLARE
    kept constant rewardd.schema_object[] := ARRAY(SELECT r FROM rewardd.schema_object r);
BEGIN
    TRUNCATE rewardd.schema_object;
    INSERT INTO rewardd.schema_object SELECT k.* FROM unnest(kept) AS k;
END
$compact$;
