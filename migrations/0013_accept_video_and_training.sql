-- What enqueue accepts, second part: the tasks about clips, and the kind train.
--
-- A clip is {"frames": [picture, …]}, 2 to 64 pictures in the order they are shown. A train job has
-- no task: its dataset may hold examples of all of them.

CREATE OR REPLACE FUNCTION rewardd._check_kind(kind text, task text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    kinds constant text[] := ARRAY['point_score', 'pair_rank', 'build_pairs', 'train'];
    tasks constant text[] := rewardd._tasks();
BEGIN
    IF kind IS NULL OR kind <> ALL (kinds) THEN
        RAISE EXCEPTION 'kind: expected one of %, got %', array_to_string(kinds, ', '),
            coalesce(to_jsonb(left(kind, 80))::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Choose a supported kind.';
    ELSIF kind = 'train' THEN
        IF task IS NOT NULL THEN
            RAISE EXCEPTION 'task: expected NULL for a train job, got %',
                to_jsonb(left(task, 80))::text
                USING ERRCODE = '22023', HINT = 'The option tasks chooses among the examples.';
        END IF;
    ELSIF task IS NULL OR task <> ALL (tasks) THEN
        RAISE EXCEPTION 'task: expected one of %, got %', array_to_string(tasks, ', '),
            coalesce(to_jsonb(left(task, 80))::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Choose a supported task.';
    END IF;
END
$function$;

CREATE FUNCTION rewardd._tasks() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY[
    'image_generation', 'image_understanding', 'video_generation', 'video_understanding'];
COMMENT ON FUNCTION rewardd._tasks() IS 'The tasks a judging job or an example can have.';

CREATE OR REPLACE FUNCTION rewardd._item_fields(kind text, task text)
RETURNS TABLE (fields text[], shapes text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $function$
    SELECT f.fields::text[], f.shapes::text[]
    FROM (VALUES
        ('point_score', 'image_generation', '{caption,image}', '{text,media}'),
        ('point_score', 'image_understanding', '{question,image,response}', '{text,media,answer}'),
        ('point_score', 'video_generation', '{caption,video}', '{text,clip}'),
        ('point_score', 'video_understanding', '{question,video,response}', '{text,clip,answer}'),
        ('pair_rank', 'image_generation', '{caption,first,second}', '{text,media,media}'),
        ('pair_rank', 'image_understanding', '{question,image,first,second}',
            '{text,media,answer,answer}'),
        ('pair_rank', 'video_generation', '{caption,first,second}', '{text,clip,clip}'),
        ('pair_rank', 'video_understanding', '{question,video,first,second}',
            '{text,clip,answer,answer}'),
        ('build_pairs', 'image_generation', '{caption,candidates}', '{text,media_list}'),
        ('build_pairs', 'image_understanding', '{question,image,candidates}',
            '{text,media,answer_list}'),
        ('build_pairs', 'video_generation', '{caption,candidates}', '{text,clip_list}'),
        ('build_pairs', 'video_understanding', '{question,video,candidates}',
            '{text,clip,answer_list}'),
        ('train', NULL, '{dataset,name}', '{dataset,model_name}')
    ) AS f (kind, task, fields, shapes)
    WHERE f.kind = $1 AND f.task IS NOT DISTINCT FROM $2
$function$;

CREATE OR REPLACE FUNCTION rewardd._fits(shape text, value jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    elements jsonb := value;
    element jsonb;
    fits boolean;
BEGIN
    IF shape = 'dataset' THEN
        RETURN jsonb_typeof(value) = 'string' AND value #>> '{}' LIKE '/%'
            AND length(value #>> '{}') BETWEEN 2 AND 4096;
    ELSIF shape = 'model_name' THEN
        RETURN jsonb_typeof(value) = 'string' AND value #>> '{}' ~ '^[a-z][a-z0-9._-]{0,63}$';
    ELSIF shape = 'clip' THEN
        IF jsonb_typeof(value) IS DISTINCT FROM 'object' THEN
            RETURN false;
        ELSIF value - 'frames' <> '{}' THEN
            RETURN false;
        END IF;
        elements := value -> 'frames';
    END IF;
    IF jsonb_typeof(elements) IS DISTINCT FROM 'array' THEN
        RETURN false;
    ELSIF jsonb_array_length(elements) NOT BETWEEN 2 AND 64 THEN
        RETURN false;
    END IF;
    FOR position IN 0 .. jsonb_array_length(elements) - 1 LOOP
        element := elements -> position;
        fits := CASE shape
            WHEN 'answer_list' THEN rewardd._is_text(element, 0)
            WHEN 'clip_list' THEN rewardd._fits('clip', element)
            ELSE rewardd._is_media(element) END;
        IF fits IS NOT TRUE THEN RETURN false; END IF;
    END LOOP;
    RETURN true;
END
$function$;
COMMENT ON FUNCTION rewardd._fits(text, jsonb) IS
    'Whether value is a dataset (absolute path), a model_name, a clip (2 to 64 frames), or an array '
    'of 2 to 64 media references (media_list), clips (clip_list) or texts (answer_list).';

CREATE OR REPLACE FUNCTION rewardd._refuse_field(
    path text, shape text, value jsonb, hint text) RETURNS void
LANGUAGE plpgsql
AS $function$
DECLARE
    expected constant jsonb := jsonb_build_object(
        'text', 'a string of 1 to 100000 characters',
        'answer', 'a string of at most 100000 characters',
        'media', 'a path, {"path": …} or {"media": …}',
        'media_list', 'an array of 2 to 64 candidates',
        'answer_list', 'an array of 2 to 64 candidates',
        'clip', 'a clip, {"frames": [2 to 64 pictures]}',
        'clip_list', 'an array of 2 to 64 candidates',
        'frames', 'an array of 2 to 64 frames',
        'dataset', 'an absolute path of at most 4096 characters',
        'model_name',
        'a name of 1 to 64 characters a-z, 0-9, ".", "_" and "-" that starts with a letter',
        'id', 'a string of 1 to 200 characters');
    part constant text := CASE shape
        WHEN 'frames' THEN 'media' ELSE replace(shape, '_list', '') END;
    fits boolean;
BEGIN
    IF shape = 'clip' AND jsonb_typeof(value) = 'object' THEN
        IF value ? 'frames' AND value - 'frames' = '{}' THEN
            PERFORM rewardd._refuse_field(path || '.frames', 'frames', value -> 'frames', hint);
        END IF;
    ELSIF part <> shape AND jsonb_typeof(value) = 'array' THEN
        IF jsonb_array_length(value) BETWEEN 2 AND 64 THEN
            FOR position IN 0 .. jsonb_array_length(value) - 1 LOOP
                fits := CASE part
                    WHEN 'answer' THEN rewardd._is_text(value -> position, 0)
                    WHEN 'clip' THEN rewardd._fits('clip', value -> position)
                    ELSE rewardd._is_media(value -> position) END;
                IF fits IS NOT TRUE THEN
                    PERFORM rewardd._refuse_field(
                        format('%s[%s]', path, position), part, value -> position, hint);
                END IF;
            END LOOP;
        END IF;
    END IF;
    RAISE EXCEPTION '%: expected %, got %', path, expected ->> shape, rewardd._describe(value)
        USING ERRCODE = '22023', HINT = hint;
END
$function$;

CREATE OR REPLACE FUNCTION rewardd._check_media(items jsonb) RETURNS void
LANGUAGE plpgsql STABLE
AS $function$
DECLARE
    missing text;
    place record;
BEGIN
    -- Lax mode unwraps arrays, so the paths reach fields, candidates and the frames of either.
    -- Asking first whether there is any takes a twentieth of the time of listing them.
    IF NOT jsonb_path_exists(items, '$[*].*.media')
        AND NOT jsonb_path_exists(items, '$[*].*.frames.media')
    THEN
        RETURN;
    END IF;
    SELECT m.digest INTO missing
    FROM (
        SELECT DISTINCT d #>> '{}' AS digest
        FROM (
            SELECT jsonb_path_query(items, '$[*].*.media') AS d
            UNION ALL
            SELECT jsonb_path_query(items, '$[*].*.frames.media')
        ) AS named
    ) AS m
    WHERE NOT EXISTS (
        SELECT FROM rewardd.media_upload u
        WHERE u.submitted_by = session_user AND u.digest = decode(m.digest, 'hex'))
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT e.position - 1 AS item_index, f.key AS field INTO place
    FROM jsonb_array_elements(items) WITH ORDINALITY AS e (payload, position)
    CROSS JOIN LATERAL jsonb_each(e.payload) AS f
    WHERE jsonb_path_exists(
            f.value, '$.media ? (@ == $digest)', jsonb_build_object('digest', missing))
        OR jsonb_path_exists(
            f.value, '$.frames.media ? (@ == $digest)', jsonb_build_object('digest', missing))
    ORDER BY e.position
    LIMIT 1;
    RAISE EXCEPTION 'items[%].%: expected media uploaded by "%", got unknown digest %',
        place.item_index, place.field, session_user, missing
        USING ERRCODE = '22023', HINT = 'Upload the file with rewardd.put_media first.';
END
$function$;

CREATE FUNCTION rewardd._check_positive(path text, value jsonb, maximum numeric) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
BEGIN
    IF jsonb_typeof(value) = 'number' THEN
        IF value::numeric > 0 AND value::numeric <= maximum THEN
            RETURN;
        END IF;
    END IF;
    RAISE EXCEPTION '%: expected a number above 0 and at most %, got %', path, maximum,
        rewardd._describe(value)
        USING ERRCODE = '22023', HINT = 'Correct the option or leave it out.';
END
$function$;
COMMENT ON FUNCTION rewardd._check_positive(text, jsonb, numeric) IS
    'Raises 22023 unless value is a number above 0 and not above the maximum.';

CREATE FUNCTION rewardd._check_word(path text, value jsonb, words text[]) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
BEGIN
    IF (jsonb_typeof(value) = 'string' AND value #>> '{}' = ANY (words)) IS NOT TRUE THEN
        RAISE EXCEPTION '%: expected %, got %', path,
            (SELECT string_agg(to_jsonb(w.word)::text, ' or ' ORDER BY w.place)
                FROM unnest(words) WITH ORDINALITY AS w (word, place)),
            rewardd._describe(value)
            USING ERRCODE = '22023', HINT = 'Correct the option or leave it out.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._check_word(text, jsonb, text[]) IS
    'Raises 22023 unless value is one of the words.';

CREATE FUNCTION rewardd._check_tasks(path text, value jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
BEGIN
    IF jsonb_typeof(value) <> 'array' OR value = '[]' THEN
        RAISE EXCEPTION '%: expected an array of tasks, got %', path, rewardd._describe(value)
            USING ERRCODE = '22023', HINT = 'Leave it out to train on all examples.';
    END IF;
    FOR position IN 0 .. jsonb_array_length(value) - 1 LOOP
        PERFORM rewardd._check_word(
            format('%s[%s]', path, position), value -> position, rewardd._tasks());
    END LOOP;
    IF jsonb_array_length(value) > (
        SELECT count(DISTINCT t.task) FROM jsonb_array_elements(value) AS t (task))
    THEN
        RAISE EXCEPTION '%: expected each task once, got %', path, rewardd._describe(value)
            USING ERRCODE = '22023', HINT = 'Name each task once.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._check_tasks(text, jsonb) IS
    'Raises 22023 unless value is an array of different tasks, at least one.';

CREATE FUNCTION rewardd._check_train_options(options jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    option record;
    known constant text := 'epochs, max_steps, batch_size, learning_rate, weight_decay, '
        'warmup_ratio, final_learning_rate_ratio, clip_norm, accumulation, seed, '
        'validation_fraction, validate_every, checkpoint_every, method, lora_rank, lora_alpha, '
        'tasks, precision, replace, max_attempts';
BEGIN
    IF jsonb_typeof(options) <> 'object' THEN
        RAISE EXCEPTION 'options: expected an object, got %', rewardd._describe(options)
            USING ERRCODE = '22023', HINT = 'Options of a train job are ' || known || '.';
    END IF;
    FOR option IN SELECT key, value, format('options.%s', key) AS path FROM jsonb_each(options) LOOP
        CASE option.key
            WHEN 'epochs' THEN
                PERFORM rewardd._check_positive(option.path, option.value, 1000000);
            WHEN 'learning_rate', 'clip_norm', 'lora_alpha' THEN
                PERFORM rewardd._check_positive(option.path, option.value, 1000000);
            WHEN 'weight_decay' THEN
                PERFORM rewardd._check_number(option.path, option.value, 0, 1000000, false);
            WHEN 'warmup_ratio', 'final_learning_rate_ratio' THEN
                PERFORM rewardd._check_number(option.path, option.value, 0, 1, false);
            WHEN 'validation_fraction' THEN
                PERFORM rewardd._check_number(option.path, option.value, 0, 0.5, false);
            WHEN 'max_steps', 'validate_every', 'checkpoint_every' THEN
                PERFORM rewardd._check_number(option.path, option.value, 1, 1000000000, true);
            WHEN 'batch_size', 'lora_rank' THEN
                PERFORM rewardd._check_number(option.path, option.value, 1, 4096, true);
            WHEN 'accumulation' THEN
                PERFORM rewardd._check_number(option.path, option.value, 1, 1024, true);
            WHEN 'seed' THEN
                -- The largest whole number that every JSON reader keeps exactly.
                PERFORM rewardd._check_number(option.path, option.value, 0, 9007199254740991, true);
            WHEN 'max_attempts' THEN
                PERFORM rewardd._check_number(option.path, option.value, 1, 100, true);
            WHEN 'method' THEN
                PERFORM rewardd._check_word(option.path, option.value, ARRAY['full', 'lora']);
            WHEN 'precision' THEN
                PERFORM rewardd._check_word(option.path, option.value, ARRAY['bf16', 'f32']);
            WHEN 'tasks' THEN
                PERFORM rewardd._check_tasks(option.path, option.value);
            WHEN 'replace' THEN
                IF jsonb_typeof(option.value) <> 'boolean' THEN
                    RAISE EXCEPTION 'options.replace: expected true or false, got %',
                        rewardd._describe(option.value)
                        USING ERRCODE = '22023', HINT = 'Correct the option or leave it out.';
                END IF;
            ELSE
                RAISE EXCEPTION 'options.%: expected an option of a train job, got an unknown one',
                    left(option.key, 80)
                    USING ERRCODE = '22023', HINT = 'Options of a train job are ' || known || '.';
        END CASE;
        IF option.key LIKE 'lora_%' AND options ->> 'method' IS DISTINCT FROM 'lora' THEN
            RAISE EXCEPTION '%: expected method "lora" with it, got %', option.path,
                rewardd._describe(coalesce(options -> 'method', '"full"'))
                USING ERRCODE = '22023', HINT = 'Give method "lora", or leave the option out.';
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION rewardd._check_train_options(jsonb) IS
    'Raises 22023 naming the first option that enqueue does not take for a train job.';
