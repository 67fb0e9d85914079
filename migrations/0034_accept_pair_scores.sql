-- What enqueue accepts, fourth part: pair_score, image_editing, labels, and options as data.

CREATE OR REPLACE FUNCTION rewardd._tasks() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY[
    'image_generation', 'image_understanding', 'video_generation', 'video_understanding',
    'image_editing'];

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
        ('point_score', 'image_editing', '{instruction,source,edited}', '{text,media,media}'),
        ('pair_rank', 'image_generation', '{caption,first,second}', '{text,media,media}'),
        ('pair_rank', 'image_understanding', '{question,image,first,second}',
            '{text,media,answer,answer}'),
        ('pair_rank', 'video_generation', '{caption,first,second}', '{text,clip,clip}'),
        ('pair_rank', 'video_understanding', '{question,video,first,second}',
            '{text,clip,answer,answer}'),
        ('pair_rank', 'image_editing', '{instruction,source,first,second}',
            '{text,media,media,media}'),
        ('pair_score', 'image_generation', '{caption,first,second}', '{text,media,media}'),
        ('pair_score', 'video_generation', '{caption,first,second}', '{text,clip,clip}'),
        ('pair_score', 'image_editing', '{instruction,source,first,second}',
            '{text,media,media,media}'),
        ('build_pairs', 'image_generation', '{caption,candidates}', '{text,media_list}'),
        ('build_pairs', 'image_understanding', '{question,image,candidates}',
            '{text,media,answer_list}'),
        ('build_pairs', 'video_generation', '{caption,candidates}', '{text,clip_list}'),
        ('build_pairs', 'video_understanding', '{question,video,candidates}',
            '{text,clip,answer_list}'),
        ('build_pairs', 'image_editing', '{instruction,source,candidates}',
            '{text,media,media_list}'),
        ('train', NULL, '{dataset,name}', '{dataset,model_name}')
    ) AS f (kind, task, fields, shapes)
    WHERE f.kind = $1 AND f.task IS NOT DISTINCT FROM $2
$function$;

CREATE OR REPLACE FUNCTION rewardd._check_kind(kind text, task text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    kinds constant text[] :=
        ARRAY['point_score', 'pair_rank', 'pair_score', 'build_pairs', 'train'];
    tasks text[];
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
        RETURN;
    END IF;
    tasks := ARRAY(
        SELECT t.task FROM unnest(rewardd._tasks()) WITH ORDINALITY AS t (task, place)
        WHERE EXISTS (SELECT FROM rewardd._item_fields(_check_kind.kind, t.task))
        ORDER BY t.place);
    IF task IS NULL OR task <> ALL (tasks) THEN
        RAISE EXCEPTION 'task: expected one of %, got %', array_to_string(tasks, ', '),
            coalesce(to_jsonb(left(task, 80))::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Choose a task that this kind of job can have.';
    END IF;
END
$function$;

CREATE FUNCTION rewardd._check_label(
    fields text[], path text, field text, value jsonb, hint text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    verdicts constant text[] := ARRAY['first', 'second', 'tie'];
    is_pair constant boolean := 'first' = ANY (fields);
    fits boolean;
BEGIN
    fits := CASE
        WHEN field = 'group' THEN rewardd._is_text(value, 1) AND length(value #>> '{}') <= 200
        WHEN field = 'label' AND is_pair THEN
            jsonb_typeof(value) = 'string' AND value #>> '{}' = ANY (verdicts)
        WHEN field = 'label' THEN jsonb_typeof(value) = 'number'
        WHEN jsonb_typeof(value) <> 'object' THEN false
        WHEN is_pair THEN NOT EXISTS (
            SELECT FROM jsonb_each(value) AS e
            WHERE (jsonb_typeof(e.value) = 'string' AND e.value #>> '{}' = ANY (verdicts))
                IS NOT TRUE)
        ELSE NOT EXISTS (
            SELECT FROM jsonb_each(value) AS e WHERE jsonb_typeof(e.value) <> 'number')
        END;
    IF fits IS NOT TRUE THEN
        RAISE EXCEPTION '%.%: expected %, got %', path, field,
            CASE
                WHEN field = 'group' THEN 'a string of 1 to 200 characters'
                WHEN field = 'label' AND is_pair THEN '"first", "second" or "tie"'
                WHEN field = 'label' THEN 'a number'
                WHEN is_pair THEN '"first", "second" or "tie" for each criterion'
                ELSE 'a number for each criterion' END,
            rewardd._describe(value) USING ERRCODE = '22023', HINT = hint;
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._check_label(text[], text, text, jsonb, text) IS
    'Raises 22023 unless value can be the label, labels or group of an item with these fields.';

CREATE OR REPLACE FUNCTION rewardd._check_item(
    fields text[], shapes text[], hint text, item_index bigint, payload jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    -- Lists of candidates and data sets have no label.
    optional constant text[] := CASE
        WHEN 'candidates' = ANY (fields) OR 'dataset' = ANY (fields) THEN ARRAY['id']
        ELSE ARRAY['id', 'label', 'labels', 'group'] END;
    value jsonb;
    name text;
    fits boolean;
BEGIN
    IF jsonb_typeof(payload) <> 'object' THEN
        RAISE EXCEPTION 'items[%]: expected an object, got %',
            item_index, rewardd._describe(payload) USING ERRCODE = '22023', HINT = hint;
    END IF;
    FOR field IN 1 .. cardinality(fields) LOOP
        value := payload -> fields[field];
        fits := CASE shapes[field]
            WHEN 'text' THEN rewardd._is_text(value, 1)
            WHEN 'media' THEN rewardd._is_media(value)
            WHEN 'answer' THEN rewardd._is_text(value, 0)
            ELSE rewardd._fits(shapes[field], value) END;
        IF fits IS NOT TRUE THEN
            PERFORM rewardd._refuse_field(format('items[%s].%s', item_index, fields[field]),
                shapes[field], value, hint);
        END IF;
    END LOOP;
    value := payload - fields;
    IF value <> '{}' THEN
        IF value - optional <> '{}' THEN
            RAISE EXCEPTION 'items[%].%: expected one of the fields % and %, got an unknown one',
                item_index, (SELECT min(k) FROM jsonb_object_keys(value - optional) AS k),
                array_to_string(fields || optional[:cardinality(optional) - 1], ', '),
                optional[cardinality(optional)]
                USING ERRCODE = '22023', HINT = hint;
        ELSIF value ? 'id'
            AND (rewardd._is_text(value -> 'id', 1) AND length(value ->> 'id') <= 200) IS NOT TRUE
        THEN
            PERFORM rewardd._refuse_field(
                format('items[%s].id', item_index), 'id', value -> 'id', hint);
        END IF;
        FOREACH name IN ARRAY optional[2:] LOOP
            IF value ? name THEN
                PERFORM rewardd._check_label(fields, format('items[%s]', item_index), name,
                    value -> name, 'A label is what a person thought; see rewardd.evaluate.');
            END IF;
        END LOOP;
    END IF;
    RETURN true;
END
$function$;

CREATE FUNCTION rewardd._option_rules()
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
        ('shard_size', 'whole', 1, 1000, NULL),
        ('max_attempts', 'whole', 1, 100, NULL)
    ) AS o (name, rule, minimum, maximum, words)
$function$;
COMMENT ON FUNCTION rewardd._option_rules() IS
    'The options of a judging job and what each takes.';

CREATE FUNCTION rewardd._check_names(
    path text, value jsonb, minimum numeric, maximum numeric) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
BEGIN
    IF jsonb_typeof(value) = 'array' THEN
        IF jsonb_array_length(value) BETWEEN minimum AND maximum AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(value) AS e (name)
            WHERE (rewardd._is_text(e.name, 1) AND length(e.name #>> '{}') <= 200) IS NOT TRUE)
        THEN
            RETURN;
        END IF;
    END IF;
    RAISE EXCEPTION '%: expected an array of % to % names, got %', path, minimum, maximum,
        rewardd._describe(value)
        USING ERRCODE = '22023', HINT = 'Correct the option or leave it out.';
END
$function$;
COMMENT ON FUNCTION rewardd._check_names(text, jsonb, numeric, numeric) IS
    'Raises 22023 unless value is an array of so many names.';

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
    END IF;
END
$function$;

COMMENT ON FUNCTION rewardd.enqueue(
    text, jsonb, text, text, jsonb, text, int, timestamptz, text) IS
$comment$Submits a job in the caller's own transaction and returns its job_id. Rolled back with it.

kind     point_score, pair_rank, pair_score, build_pairs or train.
items    array of 1 to 1000000 objects, each with an optional "id" of the caller's:
         point_score  image_generation     caption, image
                      image_understanding  question, image, response
                      video_generation     caption, video
                      video_understanding  question, video, response
                      image_editing        instruction, source, edited
         pair_rank    image_generation     caption, first, second (pictures)
                      image_understanding  question, image, first, second (texts)
                      video_generation     caption, first, second (clips)
                      video_understanding  question, video, first, second (texts)
                      image_editing        instruction, source, first, second
         pair_score   as pair_rank for image_generation, video_generation and image_editing
         build_pairs  image_generation     caption, candidates (2 to 64 pictures)
                      image_understanding  question, image, candidates (2 to 64 texts)
                      video_generation     caption, candidates (2 to 64 clips)
                      video_understanding  question, video, candidates (2 to 64 texts)
                      image_editing        instruction, source, candidates
         train        one item: dataset (absolute path of a JSONL file on the daemon's host), name
                      (of the model to be made: 1 to 64 of a-z 0-9 . _ -, a letter first)
         A picture is a path on the daemon's host ("…" or {"path": "…"}) or an upload of
         rewardd.put_media ({"media": "<sha256>"}). A clip is a video file, named in the same ways,
         or {"frames": [2 to 64 pictures]}. A text has at most 100000 characters. Items but those of
         build_pairs and train may hold "label", "labels" and "group": see evaluate.
task     image_generation, image_understanding, video_generation, video_understanding or
         image_editing; NULL for train.
model    name of a model as daemons are configured with it; for train the base to start from.
options  of judging: answer choices|generate, orders both|single, reuse true|false, margin_minimum
         ≥ 0, max_new_tokens 1 to 4096, sampling linspace|segments|fps and frames 2 to 64 (which
         frames of video files are shown; by default as the model's prompts say, else linspace and
         8, for fps 64 at most), templates (an array of 1 to 8 names: templates to use in place of
         the first of the prompt pack), plan paired|round_robin, rounds 1 to 63 (of the round robin;
         all), seed ≥ 0 (shuffles who meets whom), shard_size 1 to 1000 (16), max_attempts 1 to 100
         (5).
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
