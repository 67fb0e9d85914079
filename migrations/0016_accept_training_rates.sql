-- Two options of train jobs. loss_mean: the mean over target tokens lets long answers count more than a
-- score of one token; the mean over answers does not. vision_learning_rate_ratio: a tower that has learnt
-- to see is not undone by the first steps of a new decoder.

CREATE OR REPLACE FUNCTION rewardd._check_train_options(options jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    option record;
    known constant text := 'epochs, max_steps, batch_size, learning_rate, '
        'vision_learning_rate_ratio, weight_decay, warmup_ratio, final_learning_rate_ratio, '
        'clip_norm, loss_mean, accumulation, seed, validation_fraction, validate_every, '
        'checkpoint_every, method, lora_rank, lora_alpha, tasks, precision, replace, max_attempts';
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
            WHEN 'warmup_ratio', 'final_learning_rate_ratio', 'vision_learning_rate_ratio' THEN
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
            WHEN 'loss_mean' THEN
                PERFORM rewardd._check_word(option.path, option.value, ARRAY['tokens', 'answers']);
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
         rewardd.put_media ({"media": "<sha256>"}). A clip is {"frames": [2 to 64 pictures]}. A text
         has at most 100000 characters.
task     image_generation, image_understanding, video_generation or video_understanding; NULL for
         train.
model    name of a model as daemons are configured with it; for train the base to start from.
options  of judging: answer choices|generate, orders both|single, reuse true|false, margin_minimum
         ≥ 0, max_new_tokens 1 to 4096, shard_size 1 to 1000 (16), max_attempts 1 to 100 (5).
         of train: epochs > 0 (1), max_steps ≥ 1, batch_size 1 to 4096 examples (64), learning_rate
         > 0 (0.0001), vision_learning_rate_ratio 0 to 1 (1; 0 leaves the vision tower as it is),
         weight_decay ≥ 0 (0.01), warmup_ratio 0 to 1 (0.03),
         final_learning_rate_ratio 0 to 1 (0.1), clip_norm > 0 (1), loss_mean tokens|answers
         (tokens), accumulation 1 to 1024 (1), seed ≥ 0 (0), validation_fraction 0 to 0.5 (0.02),
         validate_every steps (200), checkpoint_every steps (100), method full|lora (full), lora_rank 1 to 4096 (16), lora_alpha > 0 (32), tasks
         (an array; all), precision bf16|f32 of the saved model (bf16), replace true|false (false:
         another model of that name fails the job), max_attempts 1 to 100 (5).
queue    an existing queue (default).
priority -1000 to 1000, the highest first; NULL means 0, and -100 for train.
run_at   not to be started before.
idempotency_key  the same key, queue and request by the same user give the same job_id again;
         another request with the key is refused.

Errors: 22023 naming the argument by its JSON path, P0002 unknown queue, 55000 key used for another
request. Role: rewardd_submit.$comment$;
