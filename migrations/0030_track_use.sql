-- Which jobs rest on judgements of others, and how many bytes of files a submitter may store.
--
-- A judgement is kept for as long as any job rests on it, so a job says so when it finds one of another job, or comes
-- to store what another has stored: under a lock of the judgement, which prune takes before it looks for references.

CREATE TABLE rewardd.judgement_use (
    fingerprint bytea NOT NULL,
    job_id bigint NOT NULL,
    PRIMARY KEY (fingerprint, job_id)
);
CREATE INDEX judgement_use_job ON rewardd.judgement_use (job_id, fingerprint);
COMMENT ON TABLE rewardd.judgement_use IS 'Which jobs rest on judgements that another job stored.';
COMMENT ON COLUMN rewardd.judgement_use.fingerprint IS 'The judgement.';
COMMENT ON COLUMN rewardd.judgement_use.job_id IS 'The job that found it.';
INSERT INTO rewardd.judgement_use (fingerprint, job_id)
SELECT DISTINCT g.fingerprint, r.job_id
FROM rewardd.item_result r
CROSS JOIN LATERAL unnest(r.judgements) AS f (fingerprint)
JOIN rewardd.judgement g ON g.fingerprint = f.fingerprint AND g.job_id <> r.job_id;

DROP FUNCTION rewardd.find_judgements(bytea[]);
CREATE FUNCTION rewardd.find_judgements(fingerprints bytea[], job_id bigint DEFAULT NULL)
RETURNS SETOF rewardd.judgement
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
AS $function$
#variable_conflict use_column
BEGIN
    IF find_judgements.job_id IS NULL THEN
        RETURN QUERY
            SELECT g.* FROM rewardd.judgement g
            WHERE g.fingerprint = ANY (find_judgements.fingerprints);
        RETURN;
    END IF;
    INSERT INTO rewardd.judgement_use (fingerprint, job_id)
    SELECT g.fingerprint, find_judgements.job_id
    FROM (
        SELECT g.fingerprint
        FROM rewardd.judgement g
        WHERE g.fingerprint = ANY (find_judgements.fingerprints)
            AND g.job_id <> find_judgements.job_id
            AND NOT EXISTS (
                SELECT FROM rewardd.judgement_use u
                WHERE u.fingerprint = g.fingerprint AND u.job_id = find_judgements.job_id)
        ORDER BY g.fingerprint
        FOR KEY SHARE OF g
    ) AS g
    ON CONFLICT DO NOTHING;
    -- One stored between the two statements is not the job's to rest on: it is asked again.
    RETURN QUERY
        SELECT g.*
        FROM rewardd.judgement g
        WHERE g.fingerprint = ANY (find_judgements.fingerprints)
            AND (g.job_id = find_judgements.job_id OR EXISTS (
                SELECT FROM rewardd.judgement_use u
                WHERE u.fingerprint = g.fingerprint AND u.job_id = find_judgements.job_id));
END
$function$;
COMMENT ON FUNCTION rewardd.find_judgements(bytea[], bigint) IS
    'The judgements stored under these fingerprints, in no particular order. With job_id, the running job '
    'that is going to rest on them, they stay for as long as the job does. Role: rewardd_work.';
REVOKE ALL ON FUNCTION rewardd.find_judgements(bytea[], bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.find_judgements(bytea[], bigint) TO rewardd_work;

-- Judgements of several criteria come with each criterion's numbers beside the score or verdict they come to.
ALTER TABLE rewardd.judgement ADD COLUMN criteria jsonb;
COMMENT ON COLUMN rewardd.judgement.criteria IS
    'Each criterion''s numbers in item order, [{"name", "score" or "first" and "second", "scale"}]; '
    'NULL for an answer that is one choice.';
COMMENT ON COLUMN rewardd.judgement.kind IS 'point_score, pair_rank or pair_score.';
COMMENT ON COLUMN rewardd.judgement.score IS
    'Score on the scale below, for point_score; the mean where there are several criteria.';

CREATE OR REPLACE FUNCTION rewardd._store_judgements(lease rewardd.shard, judgements jsonb) RETURNS int
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    given constant bytea[] := ARRAY(
        SELECT DISTINCT decode(e ->> 'fingerprint', 'hex') FROM jsonb_array_elements(judgements) AS e);
    fresh int;
    stored int := 0;
BEGIN
    LOOP
        -- Ordered by key: two daemons that store the same judgements wait for each other, and must
        -- not do so crosswise.
        INSERT INTO rewardd.judgement (fingerprint, job_id, shard_id, lease_token, item_index, kind,
            task, model, model_digest, template_id, template_digest, answer_mode, presentation_order,
            raw_response, verdict, score, scale_minimum, scale_maximum, spread, criteria, probabilities,
            prompt_tokens, generated_tokens, seconds)
        SELECT decode(j.fingerprint, 'hex'), lease.job_id, lease.shard_id, lease.lease_token,
            j.item_index, j.kind,
            coalesce(j.task, (SELECT o.task FROM rewardd.job o WHERE o.job_id = lease.job_id)),
            coalesce(j.model, lease.model), decode(j.model_digest, 'hex'), j.template_id,
            decode(j.template_digest, 'hex'), j.answer_mode, j.presentation_order, j.raw_response,
            j.verdict, j.score, j.scale_minimum, j.scale_maximum, j.spread,
            nullif(j.criteria, 'null'), j.probabilities,
            coalesce(j.prompt_tokens, 0), coalesce(j.generated_tokens, 0), coalesce(j.seconds, 0)
        FROM jsonb_to_recordset(judgements) AS j (
            fingerprint text, item_index int, kind text, task text, model text, model_digest text,
            template_id text, template_digest text, answer_mode text, presentation_order text,
            raw_response text, verdict text, score float8, scale_minimum float8, scale_maximum float8,
            spread float8, criteria jsonb, probabilities jsonb, prompt_tokens int, generated_tokens int,
            seconds real)
        ORDER BY j.fingerprint
        ON CONFLICT (fingerprint) DO NOTHING;
        GET DIAGNOSTICS fresh = ROW_COUNT;
        stored := stored + fresh;
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
COMMENT ON FUNCTION rewardd._store_judgements(rewardd.shard, jsonb) IS
    'Stores the judgements not stored yet and returns their number; the others stay for as long as the job.';

-- Jobs from before the last but one migration, and schedules, name files too.

ALTER TABLE rewardd.schedule
    ADD COLUMN media bytea[] GENERATED ALWAYS AS (rewardd._media_digests(items)) STORED;
COMMENT ON COLUMN rewardd.schedule.media IS 'The uploaded files that its items name.';
DO $backfill$
BEGIN
    IF EXISTS (SELECT FROM rewardd.media) THEN
        INSERT INTO rewardd.media_use (submitted_by, digest, job_id)
        SELECT DISTINCT j.submitted_by::text, d.digest, j.job_id
        FROM rewardd.item i
        JOIN rewardd.job j ON j.job_id = i.job_id
        CROSS JOIN LATERAL unnest(rewardd._media_digests(jsonb_build_array(i.payload))) AS d (digest)
        ON CONFLICT DO NOTHING;
    END IF;
END
$backfill$;

CREATE TABLE rewardd.media_quota (
    role name PRIMARY KEY,
    bytes bigint NOT NULL CHECK (bytes >= 0)
);
COMMENT ON TABLE rewardd.media_quota IS 'How many bytes of uploaded files a submitter may have stored.';
COMMENT ON COLUMN rewardd.media_quota.role IS
    'A submitter, or a role it is a member of; empty for all without a limit of their own.';
COMMENT ON COLUMN rewardd.media_quota.bytes IS 'The limit of each of them.';
INSERT INTO rewardd.media_quota (role, bytes) VALUES ('', 4294967296);

CREATE TABLE rewardd.media_usage (
    submitted_by text COLLATE "C" PRIMARY KEY,
    bytes bigint NOT NULL DEFAULT 0,
    files bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE rewardd.media_usage IS 'What each submitter has stored: the sums over media_upload.';
COMMENT ON COLUMN rewardd.media_usage.submitted_by IS 'The submitter.';
COMMENT ON COLUMN rewardd.media_usage.bytes IS 'Bytes of its files.';
COMMENT ON COLUMN rewardd.media_usage.files IS 'Their number.';
INSERT INTO rewardd.media_usage (submitted_by, bytes, files)
SELECT u.submitted_by::text, sum(m.byte_count), count(*)
FROM rewardd.media_upload u
JOIN rewardd.media m ON m.digest = u.digest
GROUP BY 1;

ALTER TABLE rewardd.media_upload ADD COLUMN check_at timestamptz;
CREATE INDEX media_upload_check ON rewardd.media_upload (check_at) WHERE check_at IS NOT NULL;
CREATE INDEX media_upload_digest ON rewardd.media_upload (digest);
COMMENT ON COLUMN rewardd.media_upload.created_at IS 'When it did so last, to the hour.';
COMMENT ON COLUMN rewardd.media_upload.check_at IS
    'From when on it is removed unless the submitter uses it: a day after the upload, at the earliest when a '
    'job that used it was removed. NULL for one that has never lost a job.';

CREATE FUNCTION rewardd._media_quota(submitter name) RETURNS bigint
LANGUAGE sql STABLE
RETURN coalesce(
    (SELECT q.bytes FROM rewardd.media_quota q WHERE q.role = submitter),
    (SELECT max(q.bytes)
        FROM rewardd.media_quota q
        JOIN pg_catalog.pg_roles r ON r.rolname = q.role
        JOIN pg_catalog.pg_roles s ON s.rolname = submitter
        WHERE pg_has_role(s.oid, r.oid, 'MEMBER')),
    (SELECT q.bytes FROM rewardd.media_quota q WHERE q.role = ''));
COMMENT ON FUNCTION rewardd._media_quota(name) IS
    'How many bytes a submitter may store: its own limit, else the largest of its roles, else the general one.';

CREATE OR REPLACE FUNCTION rewardd.put_media(bytes bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    file bytea;
    size constant bigint := octet_length(put_media.bytes);
    used bigint;
    most bigint;
BEGIN
    IF size IS NULL OR size NOT BETWEEN 1 AND 67108864 THEN
        RAISE EXCEPTION 'bytes: expected 1 to 67108864 bytes, got %',
            coalesce(size::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Store larger files on disk and give their path.';
    END IF;
    file := sha256(put_media.bytes);
    PERFORM FROM rewardd.media_upload u
    WHERE u.submitted_by = session_user AND u.digest = file
    FOR KEY SHARE;
    IF FOUND THEN
        UPDATE rewardd.media_upload u
        SET created_at = clock_timestamp(),
            check_at = CASE WHEN u.check_at IS NOT NULL THEN clock_timestamp() + interval '1 day' END
        WHERE u.submitted_by = session_user AND u.digest = file
            AND u.created_at < clock_timestamp() - interval '1 hour';
        RETURN encode(file, 'hex');
    END IF;
    -- The count is locked first, so that uploads of one submitter follow one another.
    INSERT INTO rewardd.media_usage (submitted_by) VALUES (session_user) ON CONFLICT DO NOTHING;
    SELECT s.bytes INTO used FROM rewardd.media_usage s WHERE s.submitted_by = session_user FOR UPDATE;
    INSERT INTO rewardd.media_upload (digest) VALUES (file) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN encode(file, 'hex');
    END IF;
    most := _media_quota(session_user);
    IF used + size > most THEN
        RAISE EXCEPTION 'media: expected at most % bytes stored by "%", got % and % more', most,
            session_user, used, size
            USING ERRCODE = '55000', HINT = 'Remove files with rewardd.drop_media, wait until jobs that '
                'use them are removed, or ask an administrator to raise rewardd.set_media_quota.';
    END IF;
    UPDATE rewardd.media_usage s
    SET bytes = s.bytes + size, files = s.files + 1
    WHERE s.submitted_by = session_user;
    LOOP
        INSERT INTO rewardd.media AS m (digest, byte_count, bytes)
        VALUES (file, size, put_media.bytes)
        ON CONFLICT DO NOTHING;
        EXIT WHEN FOUND;
        -- Another's: it must not be removed before this upload can be seen.
        PERFORM FROM rewardd.media m WHERE m.digest = file FOR KEY SHARE;
        EXIT WHEN FOUND;
    END LOOP;
    RETURN encode(file, 'hex');
END
$function$;
COMMENT ON FUNCTION rewardd.put_media(bytea) IS
$comment$Stores a file of at most 64 MiB and returns its SHA-256 in hex, to be used in items as
{"media": "…"}. The same file again costs nothing. Only its uploaders can use it, and it counts for each of
them (rewardd.media_status). It goes when the last job of the uploader that used it is removed, or by drop_media.

Errors: 22023, 55000 more than the submitter may store. Role: rewardd_submit.$comment$;

CREATE FUNCTION rewardd._drop_upload(submitter text, file bytea) RETURNS boolean
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
BEGIN
    -- In the order of put_media, and without waiting: what is locked is being uploaded or used.
    PERFORM FROM rewardd.media_usage s WHERE s.submitted_by = submitter FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN RETURN NULL; END IF;
    PERFORM FROM rewardd.media_upload u
    WHERE u.submitted_by = submitter::name AND u.digest = file FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN RETURN NULL; END IF;
    PERFORM FROM rewardd.media m WHERE m.digest = file FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN RETURN NULL; END IF;
    IF EXISTS (
            SELECT FROM rewardd.media_use u WHERE u.submitted_by = submitter AND u.digest = file)
        OR EXISTS (
            SELECT FROM rewardd.schedule s
            WHERE s.submitted_by = submitter::name AND file = ANY (s.media))
    THEN
        RETURN false;
    END IF;
    UPDATE rewardd.media_usage s
    SET bytes = s.bytes - m.byte_count, files = s.files - 1
    FROM rewardd.media m
    WHERE s.submitted_by = submitter AND m.digest = file;
    DELETE FROM rewardd.media_upload u WHERE u.submitted_by = submitter::name AND u.digest = file;
    DELETE FROM rewardd.media m
    WHERE m.digest = file AND NOT EXISTS (
        SELECT FROM rewardd.media_upload u WHERE u.digest = file);
    RETURN true;
END
$function$;
COMMENT ON FUNCTION rewardd._drop_upload(text, bytea) IS
    'Removes a submitter''s upload that no job or schedule of it names, and the file with the last upload. '
    'False if one does; NULL if something is locked, or there is no such upload.';

CREATE FUNCTION rewardd.drop_media(digest text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    file constant bytea := CASE WHEN drop_media.digest ~ '^[0-9a-f]{64}$'
        THEN decode(drop_media.digest, 'hex') END;
    outcome boolean;
BEGIN
    IF NOT EXISTS (
        SELECT FROM rewardd.media_upload u WHERE u.submitted_by = session_user AND u.digest = file)
    THEN
        RAISE EXCEPTION 'digest: expected a file uploaded by "%", got %', session_user,
            coalesce(to_jsonb(left(drop_media.digest, 80))::text, 'nothing')
            USING ERRCODE = 'P0002', HINT = 'Give the SHA-256 in hex that put_media returned.';
    END IF;
    PERFORM FROM rewardd.media_usage s WHERE s.submitted_by = session_user FOR UPDATE;
    outcome := _drop_upload(session_user, file);
    IF outcome IS NOT TRUE THEN
        RAISE EXCEPTION 'media %: expected a file that is not in use, got one that %',
            drop_media.digest, CASE WHEN outcome IS NULL THEN 'is being used at this moment'
                ELSE 'a job or schedule names' END
            USING ERRCODE = '55000', HINT = 'It goes by itself with the last job that uses it.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd.drop_media(text) IS
    'Removes a file that the caller uploaded and that none of its kept jobs and schedules names; other '
    'uploaders keep theirs. Errors: P0002 no such upload, 55000 in use. Role: rewardd_submit.';

CREATE FUNCTION rewardd.set_media_quota(role name, bytes bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    IF set_media_quota.bytes < 0 OR set_media_quota.bytes IS NULL AND set_media_quota.role IS NULL THEN
        RAISE EXCEPTION 'bytes: expected a number from 0 on, got %',
            coalesce(set_media_quota.bytes::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'NULL takes away the limit of a role''s own.';
    ELSIF set_media_quota.bytes IS NULL THEN
        DELETE FROM rewardd.media_quota q WHERE q.role = set_media_quota.role;
        RETURN;
    ELSIF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = coalesce(set_media_quota.role, r.rolname))
    THEN
        RAISE EXCEPTION 'role: expected an existing role, got %',
            to_jsonb(set_media_quota.role::text)::text
            USING ERRCODE = 'P0002', HINT = 'Give NULL for all roles without a limit of their own.';
    END IF;
    INSERT INTO rewardd.media_quota AS q (role, bytes)
    VALUES (coalesce(set_media_quota.role, ''), set_media_quota.bytes)
    ON CONFLICT (role) DO UPDATE SET bytes = EXCLUDED.bytes;
END
$function$;
COMMENT ON FUNCTION rewardd.set_media_quota(name, bigint) IS
$comment$Sets how many bytes of uploaded files a submitter may store: a login, each member of a role, or with
role NULL everybody without a limit of their own (4 GiB at first). A login's own limit counts before those of its
roles, of which the largest counts. bytes NULL takes away the limit of a role. What is stored already stays.

Errors: 22023, P0002 no such role. Role: rewardd_admin.$comment$;

-- The rule of _media_quota once more: a view calls functions as whoever reads it.
CREATE VIEW rewardd.media_status WITH (security_barrier) AS
SELECT s.submitted_by, s.files, s.bytes, coalesce(
    (SELECT q.bytes FROM rewardd.media_quota q WHERE q.role = s.submitted_by::name),
    (SELECT max(q.bytes)
        FROM rewardd.media_quota q
        JOIN pg_catalog.pg_roles r ON r.rolname = q.role
        JOIN pg_catalog.pg_roles l ON l.rolname = s.submitted_by::name
        WHERE pg_has_role(l.oid, r.oid, 'MEMBER')),
    (SELECT q.bytes FROM rewardd.media_quota q WHERE q.role = '')) AS quota
FROM rewardd.media_usage s
WHERE s.submitted_by = session_user::text OR (
    SELECT pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));
COMMENT ON VIEW rewardd.media_status IS
    'What submitters have stored by put_media and how many bytes they may. Submitters see their own.';

REVOKE ALL ON FUNCTION rewardd.drop_media(text), rewardd.set_media_quota(name, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.drop_media(text) TO rewardd_submit;
GRANT EXECUTE ON FUNCTION rewardd.set_media_quota(name, bigint) TO rewardd_admin;
GRANT SELECT ON rewardd.media_status TO rewardd_submit, rewardd_read, rewardd_admin;
