-- The option frames takes as many frames of a video as the reference's scripts do: 768 in place of 64.

CREATE OR REPLACE FUNCTION rewardd._option_rules()
RETURNS TABLE (name text, rule text, minimum numeric, maximum numeric, words text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $function$
    SELECT o.name, o.rule, o.minimum, o.maximum, o.words::text[]
    FROM (VALUES
        ('answer', 'word', NULL::numeric, NULL::numeric, '{choices,generate}'),
        ('orders', 'word', NULL, NULL, '{both,single}'),
        ('reuse', 'flag', NULL, NULL, NULL),
        ('margin_minimum', 'number', 0, 1000000, NULL),
        ('max_new_tokens', 'whole', 1, 4096, NULL),
        ('sampling', 'word', NULL, NULL, '{linspace,segments,fps}'),
        ('frames', 'whole', 2, 768, NULL),
        ('templates', 'names', 1, 8, NULL),
        ('plan', 'word', NULL, NULL, '{paired,round_robin}'),
        ('rounds', 'whole', 1, 63, NULL),
        ('seed', 'whole', 0, 9007199254740991, NULL),
        ('policy', 'name', 1, 200, NULL),
        ('candidates', 'whole', 2, 64, NULL),
        ('temperature', 'number', 0.01, 2, NULL),
        ('top_p', 'number', 0.01, 1, NULL),
        ('top_k', 'whole', 1, 1000000, NULL),
        ('max_candidate_tokens', 'whole', 1, 4096, NULL),
        ('shard_size', 'whole', 1, 1000, NULL),
        ('max_attempts', 'whole', 1, 100, NULL)
    ) AS o (name, rule, minimum, maximum, words)
$function$;

-- The manual pages that name the option's range.
DO $manual$
DECLARE
    page record;
BEGIN
    FOR page IN
        SELECT p.oid::regprocedure AS name, obj_description(p.oid, 'pg_proc') AS words
        FROM pg_proc p
        WHERE p.pronamespace = 'rewardd'::regnamespace
            AND obj_description(p.oid, 'pg_proc') LIKE '%frames 2 to 64%'
    LOOP
        EXECUTE format('COMMENT ON FUNCTION %s IS %L', page.name,
            replace(page.words, 'frames 2 to 64', 'frames 2 to 768'));
    END LOOP;
END
$manual$;
