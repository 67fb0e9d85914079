-- What enqueue accepts, third part: video files where lists of frames are, and the options that say
-- which of their frames are shown.
--
-- A video file is named as a picture is. The check that uploads are the submitter's own (_check_media)
-- needs no change: it looks at every "media" of an item, whatever it names.

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
        IF rewardd._is_media(value) THEN
            RETURN true;
        ELSIF jsonb_typeof(value) IS DISTINCT FROM 'object' THEN
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
    'Whether value is a dataset (absolute path), a model_name, a clip (a media reference or 2 to 64 '
    'frames), or an array of 2 to 64 media references (media_list), clips (clip_list) or texts '
    '(answer_list).';

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
        'clip', 'a video: a path, {"path": …}, {"media": …} or {"frames": [2 to 64 pictures]}',
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

CREATE OR REPLACE FUNCTION rewardd._check_options(options jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    option record;
    known constant text := 'answer, orders, reuse, margin_minimum, max_new_tokens, sampling, '
        'frames, shard_size, max_attempts';
BEGIN
    IF jsonb_typeof(options) <> 'object' THEN
        RAISE EXCEPTION 'options: expected an object, got %', rewardd._describe(options)
            USING ERRCODE = '22023', HINT = 'Known options are ' || known || '.';
    END IF;
    FOR option IN SELECT key, value, format('options.%s', key) AS path FROM jsonb_each(options) LOOP
        CASE option.key
            WHEN 'shard_size' THEN
                PERFORM rewardd._check_number(option.path, option.value, 1, 1000, true);
            WHEN 'max_attempts' THEN
                PERFORM rewardd._check_number(option.path, option.value, 1, 100, true);
            WHEN 'max_new_tokens' THEN
                PERFORM rewardd._check_number(option.path, option.value, 1, 4096, true);
            WHEN 'margin_minimum' THEN
                PERFORM rewardd._check_number(option.path, option.value, 0, 1000000, false);
            WHEN 'reuse' THEN
                IF jsonb_typeof(option.value) <> 'boolean' THEN
                    RAISE EXCEPTION 'options.reuse: expected true or false, got %',
                        rewardd._describe(option.value)
                        USING ERRCODE = '22023', HINT = 'Correct the option or leave it out.';
                END IF;
            WHEN 'answer' THEN
                PERFORM rewardd._check_word(
                    option.path, option.value, ARRAY['choices', 'generate']);
            WHEN 'orders' THEN
                PERFORM rewardd._check_word(option.path, option.value, ARRAY['both', 'single']);
            WHEN 'sampling' THEN
                PERFORM rewardd._check_word(
                    option.path, option.value, ARRAY['linspace', 'segments', 'fps']);
            WHEN 'frames' THEN
                PERFORM rewardd._check_number(option.path, option.value, 2, 64, true);
            ELSE
                RAISE EXCEPTION 'options.%: expected a known option, got an unknown one',
                    left(option.key, 80)
                    USING ERRCODE = '22023', HINT = 'Known options are ' || known || '.';
        END CASE;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION rewardd.enqueue(
    text, jsonb, text, text, jsonb, text, int, timestamptz, text) IS
$comment$Submits a job in the caller's own transaction and returns its job_id. Rolled back with it.

kind     point_score, pair_rank, build_pairs or train.
items    array of 1 to 1000000 objects, each with an optional "id" of the caller's:
         point_score  image_generation     caption, image
                      image_understanding  question, image, response
                      video_generation     caption, video
                      video_understanding  question, video, response
         pair_rank    image_generation     caption, first, second (pictures)
                      image_understanding  question, image, first, second (texts)
                      video_generation     caption, first, second (clips)
                      video_understanding  question, video, first, second (texts)
         build_pairs  image_generation     caption, candidates (2 to 64 pictures)
                      image_understanding  question, image, candidates (2 to 64 texts)
                      video_generation     caption, candidates (2 to 64 clips)
                      video_understanding  question, video, candidates (2 to 64 texts)
         train        one item: dataset (absolute path of a JSONL file on the daemon's host), name
                      (of the model to be made: 1 to 64 of a-z 0-9 . _ -, a letter first)
         A picture is a path on the daemon's host ("…" or {"path": "…"}) or an upload of
         rewardd.put_media ({"media": "<sha256>"}). A clip is a video file, named in the same ways,
         or {"frames": [2 to 64 pictures]}. A text has at most 100000 characters.
task     image_generation, image_understanding, video_generation or video_understanding; NULL for
         train.
model    name of a model as daemons are configured with it; for train the base to start from.
options  of judging: answer choices|generate, orders both|single, reuse true|false, margin_minimum
         ≥ 0, max_new_tokens 1 to 4096, sampling linspace|segments|fps and frames 2 to 64 (which
         frames of video files are shown; by default as the model's prompts say, else linspace and
         8, for fps 64 at most), shard_size 1 to 1000 (16), max_attempts 1 to 100 (5).
         of train: epochs > 0 (1), max_steps ≥ 1, batch_size 1 to 4096 examples (64), learning_rate
         > 0 (0.0001), vision_learning_rate_ratio 0 to 1 (1; 0 leaves the vision tower as it is),
         weight_decay ≥ 0 (0.01), warmup_ratio 0 to 1 (0.03),
         final_learning_rate_ratio 0 to 1 (0.1), clip_norm > 0 (1), loss_mean tokens|answers
         (tokens), accumulation 1 to 1024 (1), seed ≥ 0 (0), validation_fraction 0 to 0.5 (0.02),
         validate_every steps (200), checkpoint_every steps (100), method full|lora (full),
         lora_rank 1 to 4096 (16), lora_alpha > 0 (32), tasks (an array; all), precision bf16|f32 of
         the saved model (bf16), replace true|false (false: another model of that name fails the
         job), max_attempts 1 to 100 (5).
queue    an existing queue (default).
priority -1000 to 1000, the highest first; NULL means 0, and -100 for train.
run_at   not to be started before.
idempotency_key  the same key, queue and request by the same user give the same job_id again;
         another request with the key is refused.

Errors: 22023 naming the argument by its JSON path, P0002 unknown queue, 55000 key used for another
request. Role: rewardd_submit.$comment$;
