-- How an answer was decoded, kept with it; and the options by which candidates are sampled from a policy.
--
-- A sampled candidate is a question to a model and its answer like every judgement, so it is stored as one: found
-- again by its fingerprint, kept and removed with its job.

ALTER TABLE rewardd.judgement ADD COLUMN decoding jsonb;
COMMENT ON TABLE rewardd.judgement IS
    'One question to a model and its answer: a judgement of the reward model, or a candidate sampled from a '
    'policy. The fingerprint covers everything the answer depends on, so an identical question asked later is '
    'answered from here.';
COMMENT ON COLUMN rewardd.judgement.kind IS 'point_score, pair_rank, pair_score, or candidate.';
COMMENT ON COLUMN rewardd.judgement.model IS 'Name of the model at that time; of a candidate, the policy.';
COMMENT ON COLUMN rewardd.judgement.answer_mode IS 'choices, generate, or sample for a candidate.';
COMMENT ON COLUMN rewardd.judgement.decoding IS
    'How the answer''s tokens were chosen: max_tokens, and repetition_penalty with the tokens it penalizes; of a '
    'candidate temperature, top_p, top_k, seed, item, candidate and finish. NULL for choices, where no token is '
    'chosen freely.';

CREATE OR REPLACE FUNCTION rewardd._store_judgements(lease rewardd.shard, judgements jsonb) RETURNS int
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    given bytea[];
    fresh int;
    stored int := 0;
BEGIN
    LOOP
        -- Ordered by key: two daemons that store the same judgements wait for each other, and must
        -- not do so crosswise.
        INSERT INTO rewardd.judgement (fingerprint, job_id, shard_id, lease_token, item_index, kind,
            task, model, model_digest, template_id, template_digest, answer_mode, presentation_order,
            raw_response, verdict, score, scale_minimum, scale_maximum, spread, criteria, probabilities,
            decoding, prompt_tokens, generated_tokens, seconds)
        SELECT decode(j.fingerprint, 'hex'), lease.job_id, lease.shard_id, lease.lease_token,
            j.item_index, j.kind,
            coalesce(j.task, (SELECT o.task FROM rewardd.job o WHERE o.job_id = lease.job_id)),
            coalesce(j.model, lease.model), decode(j.model_digest, 'hex'), j.template_id,
            decode(j.template_digest, 'hex'), j.answer_mode, j.presentation_order, j.raw_response,
            j.verdict, j.score, j.scale_minimum, j.scale_maximum, j.spread,
            nullif(j.criteria, 'null'), j.probabilities, nullif(j.decoding, 'null'),
            coalesce(j.prompt_tokens, 0), coalesce(j.generated_tokens, 0), coalesce(j.seconds, 0)
        FROM jsonb_to_recordset(judgements) AS j (
            fingerprint text, item_index int, kind text, task text, model text, model_digest text,
            template_id text, template_digest text, answer_mode text, presentation_order text,
            raw_response text, verdict text, score float8, scale_minimum float8, scale_maximum float8,
            spread float8, criteria jsonb, probabilities jsonb, decoding jsonb, prompt_tokens int,
            generated_tokens int, seconds real)
        ORDER BY j.fingerprint
        ON CONFLICT (fingerprint) DO NOTHING;
        GET DIAGNOSTICS fresh = ROW_COUNT;
        stored := stored + fresh;
        -- The usual case: nobody has asked any of these before.
        EXIT WHEN stored >= jsonb_array_length(judgements);
        given := coalesce(given, ARRAY(
            SELECT DISTINCT decode(e ->> 'fingerprint', 'hex')
            FROM jsonb_array_elements(judgements) AS e));
        EXIT WHEN stored >= cardinality(given);
        -- The others are there already: the job's own of an earlier call, or those of another job, which
        -- must not be removed under this one. One that was, meanwhile, is stored after all.
        INSERT INTO rewardd.judgement_use (fingerprint, job_id)
        SELECT g.fingerprint, lease.job_id
        FROM (
            SELECT g.fingerprint
            FROM rewardd.judgement g
            WHERE g.fingerprint = ANY (given) AND g.job_id <> lease.job_id
            ORDER BY g.fingerprint
            FOR KEY SHARE
        ) AS g
        ON CONFLICT DO NOTHING;
        EXIT WHEN cardinality(given) = (
            SELECT count(*) FROM rewardd.judgement g
            WHERE g.fingerprint = ANY (given) AND (g.job_id = lease.job_id OR EXISTS (
                SELECT FROM rewardd.judgement_use u
                WHERE u.fingerprint = g.fingerprint AND u.job_id = lease.job_id)));
    END LOOP;
    RETURN stored;
END
$function$;

CREATE OR REPLACE VIEW rewardd.job_judgement WITH (security_barrier) AS
SELECT u.job_id, u.item_index, g.fingerprint, u.reused,
    CASE WHEN NOT u.reused THEN g.shard_id END AS shard_id,
    CASE WHEN NOT u.reused THEN g.lease_token END AS lease_token,
    g.kind, g.task, g.model, g.model_digest, g.template_id, g.template_digest, g.answer_mode,
    g.presentation_order, g.raw_response, g.verdict, g.score, g.scale_minimum, g.scale_maximum,
    g.spread, g.probabilities, g.prompt_tokens, g.generated_tokens, g.seconds, g.created_at,
    g.criteria, g.decoding
FROM (
    SELECT o.job_id, o.item_index, o.fingerprint, false AS reused
    FROM rewardd.judgement o
    UNION ALL
    -- Answers found instead of asked: those an item rests on that another item stored.
    SELECT r.job_id, r.item_index, f.fingerprint, true AS reused
    FROM rewardd.item_result r
    CROSS JOIN LATERAL unnest(r.judgements) AS f (fingerprint)
    WHERE NOT EXISTS (
        SELECT FROM rewardd.judgement o
        WHERE o.fingerprint = f.fingerprint AND o.job_id = r.job_id
            AND o.item_index = r.item_index)
) AS u
JOIN rewardd.job j ON j.job_id = u.job_id
JOIN rewardd.judgement g ON g.fingerprint = u.fingerprint
WHERE j.submitted_by = session_user OR (
    SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));

CREATE FUNCTION rewardd._sampling_options() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY['candidates', 'temperature', 'top_p', 'top_k', 'max_candidate_tokens'];
COMMENT ON FUNCTION rewardd._sampling_options() IS 'The options that go with the option policy only.';

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
        ('frames', 'whole', 2, 64, NULL),
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

CREATE OR REPLACE FUNCTION rewardd._check_options(options jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    option record;
    known text;
BEGIN
    IF options = '{}' THEN
        RETURN;
    END IF;
    known := (
        SELECT string_agg(r.name, ', ' ORDER BY r.place)
        FROM rewardd._option_rules() WITH ORDINALITY
            AS r (name, rule, minimum, maximum, words, place));
    IF jsonb_typeof(options) <> 'object' THEN
        RAISE EXCEPTION 'options: expected an object, got %', rewardd._describe(options)
            USING ERRCODE = '22023', HINT = 'Known options are ' || known || '.';
    END IF;
    FOR option IN
        SELECT e.key, e.value, format('options.%s', left(e.key, 80)) AS path, r.rule, r.minimum,
            r.maximum, r.words
        FROM jsonb_each(options) AS e
        LEFT JOIN rewardd._option_rules() AS r ON r.name = e.key
        ORDER BY e.key
    LOOP
        CASE option.rule
            WHEN 'word' THEN
                PERFORM rewardd._check_word(option.path, option.value, option.words);
            WHEN 'names' THEN
                PERFORM rewardd._check_names(
                    option.path, option.value, option.minimum, option.maximum);
            WHEN 'name' THEN
                IF jsonb_typeof(option.value) = 'string' THEN
                    PERFORM rewardd._check_name(
                        option.path, option.value #>> '{}', option.maximum::int);
                ELSE
                    RAISE EXCEPTION '%: expected the name of a model, got %', option.path,
                        rewardd._describe(option.value)
                        USING ERRCODE = '22023', HINT = 'Correct the option or leave it out.';
                END IF;
            WHEN 'flag' THEN
                IF jsonb_typeof(option.value) <> 'boolean' THEN
                    RAISE EXCEPTION '%: expected true or false, got %', option.path,
                        rewardd._describe(option.value)
                        USING ERRCODE = '22023', HINT = 'Correct the option or leave it out.';
                END IF;
            WHEN 'number', 'whole' THEN
                PERFORM rewardd._check_number(option.path, option.value, option.minimum,
                    option.maximum, option.rule = 'whole');
            ELSE
                RAISE EXCEPTION '%: expected a known option, got an unknown one', option.path
                    USING ERRCODE = '22023', HINT = 'Known options are ' || known || '.';
        END CASE;
    END LOOP;
    IF options ? 'rounds' AND options ->> 'plan' IS DISTINCT FROM 'round_robin' THEN
        RAISE EXCEPTION 'options.rounds: expected plan "round_robin" with it, got %',
            rewardd._describe(coalesce(options -> 'plan', '"paired"'))
            USING ERRCODE = '22023', HINT = 'Give plan "round_robin", or leave rounds out.';
    ELSIF options ?| rewardd._sampling_options() AND NOT options ? 'policy' THEN
        RAISE EXCEPTION 'options.%: expected the option policy with it, got none', (
            SELECT min(o.name) FROM unnest(rewardd._sampling_options()) AS o (name)
            WHERE options ? o.name)
            USING ERRCODE = '22023',
                HINT = 'Name the model to sample candidates from, or leave the option out.';
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION rewardd._check_request(kind text, task text, model text, options jsonb)
RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    reserved text;
BEGIN
    PERFORM rewardd._check_kind(kind, task);
    PERFORM rewardd._check_name('model', model, 200);
    IF kind = 'train' THEN
        PERFORM rewardd._check_train_options(options);
    ELSE
        PERFORM rewardd._check_options(options);
    END IF;
    reserved := CASE WHEN model LIKE 'train/%' THEN 'train/' WHEN model LIKE 'sample/%' THEN 'sample/' END;
    IF reserved IS NOT NULL THEN
        RAISE EXCEPTION 'model: expected a name that does not start with "%", got %', reserved,
            to_jsonb(left(model, 80))::text
            USING ERRCODE = '22023', HINT = 'Such names stand for '
                || CASE reserved WHEN 'train/' THEN 'training' ELSE 'sampling' END
                || '. Rename the model.';
    ELSIF options ? 'policy' AND kind <> 'build_pairs' THEN
        RAISE EXCEPTION 'options.policy: expected a build_pairs job, got %', kind
            USING ERRCODE = '22023', HINT = 'Only candidates of build_pairs can be sampled.';
    ELSIF options ? 'policy' AND task NOT IN ('image_understanding', 'video_understanding') THEN
        RAISE EXCEPTION 'options.policy: expected the task image_understanding or '
            'video_understanding, whose candidates are texts, got %', task
            USING ERRCODE = '22023',
                HINT = 'Pictures and clips come from generators: make them first and give them as candidates.';
    ELSIF options ->> 'policy' LIKE 'train/%' OR options ->> 'policy' LIKE 'sample/%' THEN
        RAISE EXCEPTION 'options.policy: expected the name of a model, got %',
            to_jsonb(left(options ->> 'policy', 80))::text
            USING ERRCODE = '22023', HINT = 'Names like this stand for training and sampling.';
    END IF;
END
$function$;
