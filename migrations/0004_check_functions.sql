-- What enqueue accepts. Internal: called by it alone, granted to nobody.
--
-- The rules are data: _item_fields lists the fields of each kind and task with a shape, _is_… says
-- what a shape is. The _is_… functions are plain SQL so that the planner puts them in line, and
-- checking an item costs a few microseconds.

CREATE FUNCTION rewardd._is_text(value jsonb, minimum int) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN jsonb_typeof(value) = 'string'
    THEN length(value #>> '{}') BETWEEN minimum AND 100000 ELSE false END;
COMMENT ON FUNCTION rewardd._is_text(jsonb, int) IS
    'Whether value is a string of at least the given number and at most 100000 characters.';

CREATE FUNCTION rewardd._is_media(value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(value)
    WHEN 'string' THEN length(value #>> '{}') BETWEEN 1 AND 4096
    WHEN 'object' THEN CASE
        WHEN value ? 'path' THEN value - 'path' = '{}' AND jsonb_typeof(value -> 'path') = 'string'
            AND length(value ->> 'path') BETWEEN 1 AND 4096
        WHEN value ? 'media' THEN value - 'media' = '{}'
            AND jsonb_typeof(value -> 'media') = 'string'
            AND length(value ->> 'media') = 64 AND value ->> 'media' ~ '^[0-9a-f]{64}$'
        ELSE false END
    ELSE false END;
COMMENT ON FUNCTION rewardd._is_media(jsonb) IS
    'Whether value is a path of at most 4096 characters, {"path": …} or {"media": "<sha256>"}.';

CREATE FUNCTION rewardd._describe(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(value)
    WHEN 'null' THEN 'null'
    WHEN 'string' THEN CASE WHEN length(value #>> '{}') <= 80 THEN value::text
        ELSE format('a string of %s characters', length(value #>> '{}')) END
    WHEN 'array' THEN format('an array of %s', jsonb_array_length(value))
    WHEN 'object' THEN CASE WHEN length(value::text) <= 80 THEN value::text ELSE 'an object' END
    ELSE coalesce(left(value::text, 80), 'nothing') END;
COMMENT ON FUNCTION rewardd._describe(jsonb) IS
    'A value as an error message shows it: short ones whole, long ones by size, NULL as nothing.';

CREATE FUNCTION rewardd._item_fields(kind text, task text)
RETURNS TABLE (fields text[], shapes text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $function$
    SELECT f.fields::text[], f.shapes::text[]
    FROM (VALUES
        ('point_score', 'image_generation', '{caption,image}', '{text,media}'),
        ('point_score', 'image_understanding', '{question,image,response}', '{text,media,answer}'),
        ('pair_rank', 'image_generation', '{caption,first,second}', '{text,media,media}'),
        ('pair_rank', 'image_understanding', '{question,image,first,second}',
            '{text,media,answer,answer}'),
        ('build_pairs', 'image_generation', '{caption,candidates}', '{text,media_list}'),
        ('build_pairs', 'image_understanding', '{question,image,candidates}',
            '{text,media,answer_list}')
    ) AS f (kind, task, fields, shapes)
    WHERE f.kind = $1 AND f.task = $2
$function$;

CREATE FUNCTION rewardd._fits(shape text, value jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    element jsonb;
BEGIN
    IF jsonb_typeof(value) IS DISTINCT FROM 'array' THEN
        RETURN false;
    ELSIF jsonb_array_length(value) NOT BETWEEN 2 AND 64 THEN
        RETURN false;
    END IF;
    FOR position IN 0 .. jsonb_array_length(value) - 1 LOOP
        element := value -> position;
        IF shape = 'media_list' THEN
            IF rewardd._is_media(element) IS NOT TRUE THEN RETURN false; END IF;
        ELSIF rewardd._is_text(element, 0) IS NOT TRUE THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END
$function$;
COMMENT ON FUNCTION rewardd._fits(text, jsonb) IS
    'Whether value is an array of 2 to 64 media references (media_list) or texts (answer_list).';

CREATE FUNCTION rewardd._refuse_field(path text, shape text, value jsonb, hint text) RETURNS void
LANGUAGE plpgsql
AS $function$
DECLARE
    expected constant jsonb := jsonb_build_object(
        'text', 'a string of 1 to 100000 characters',
        'answer', 'a string of at most 100000 characters',
        'media', 'a path, {"path": …} or {"media": …}',
        'media_list', 'an array of 2 to 64 candidates',
        'answer_list', 'an array of 2 to 64 candidates',
        'id', 'a string of 1 to 200 characters');
BEGIN
    IF shape IN ('media_list', 'answer_list') AND jsonb_typeof(value) = 'array' THEN
        IF jsonb_array_length(value) BETWEEN 2 AND 64 THEN
            FOR position IN 0 .. jsonb_array_length(value) - 1 LOOP
                IF shape = 'media_list' AND rewardd._is_media(value -> position) IS NOT TRUE
                    OR shape = 'answer_list' AND rewardd._is_text(value -> position, 0) IS NOT TRUE
                THEN
                    PERFORM rewardd._refuse_field(format('%s[%s]', path, position),
                        replace(shape, '_list', ''), value -> position, hint);
                END IF;
            END LOOP;
        END IF;
    END IF;
    RAISE EXCEPTION '%: expected %, got %', path, expected ->> shape, rewardd._describe(value)
        USING ERRCODE = '22023', HINT = hint;
END
$function$;
COMMENT ON FUNCTION rewardd._refuse_field(text, text, jsonb, text) IS
    'Raises the error for a value that does not have the shape, naming the element in an array.';

CREATE FUNCTION rewardd._check_item(
    fields text[], shapes text[], hint text, item_index bigint, payload jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    value jsonb;
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
        IF value - 'id' <> '{}' THEN
            RAISE EXCEPTION 'items[%].%: expected one of the fields % and id, got an unknown one',
                item_index, (SELECT min(k) FROM jsonb_object_keys(value - 'id') AS k),
                array_to_string(fields, ', ') USING ERRCODE = '22023', HINT = hint;
        ELSIF (rewardd._is_text(value -> 'id', 1) AND length(value ->> 'id') <= 200) IS NOT TRUE
        THEN
            PERFORM rewardd._refuse_field(
                format('items[%s].id', item_index), 'id', value -> 'id', hint);
        END IF;
    END IF;
    RETURN true;
END
$function$;
COMMENT ON FUNCTION rewardd._check_item(text[], text[], text, bigint, jsonb) IS
    'True for an acceptable item; otherwise raises 22023 naming the first wrong field by its path.';
COMMENT ON FUNCTION rewardd._item_fields(text, text) IS
    'The fields an item of this kind and task has and their shapes; no row for an unknown pair.';

CREATE FUNCTION rewardd._check_number(
    path text, value jsonb, minimum numeric, maximum numeric, whole boolean) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    number numeric;
BEGIN
    IF jsonb_typeof(value) = 'number' THEN
        number := value::numeric;
        IF number BETWEEN minimum AND maximum AND (NOT whole OR number = trunc(number)) THEN
            RETURN;
        END IF;
    END IF;
    RAISE EXCEPTION '%: expected %, got %', path,
        format(CASE WHEN whole THEN 'a whole number from %s to %s'
            ELSE 'a number from %s to %s' END, minimum, maximum),
        rewardd._describe(value)
        USING ERRCODE = '22023', HINT = 'Correct the option or leave it out.';
END
$function$;
COMMENT ON FUNCTION rewardd._check_number(text, jsonb, numeric, numeric, boolean) IS
    'Raises 22023 unless value is a number within the bounds.';

CREATE FUNCTION rewardd._check_options(options jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    option record;
    known constant text := 'answer, orders, reuse, margin_minimum, max_new_tokens, shard_size, '
        'max_attempts';
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
                IF option.value NOT IN ('"choices"', '"generate"') THEN
                    RAISE EXCEPTION 'options.answer: expected "choices" or "generate", got %',
                        rewardd._describe(option.value)
                        USING ERRCODE = '22023', HINT = 'Correct the option or leave it out.';
                END IF;
            WHEN 'orders' THEN
                IF option.value NOT IN ('"both"', '"single"') THEN
                    RAISE EXCEPTION 'options.orders: expected "both" or "single", got %',
                        rewardd._describe(option.value)
                        USING ERRCODE = '22023', HINT = 'Correct the option or leave it out.';
                END IF;
            ELSE
                RAISE EXCEPTION 'options.%: expected a known option, got an unknown one',
                    left(option.key, 80)
                    USING ERRCODE = '22023', HINT = 'Known options are ' || known || '.';
        END CASE;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION rewardd._check_options(jsonb) IS
    'Raises 22023 naming the first option that enqueue does not take.';

CREATE FUNCTION rewardd._check_name(argument text, value text, maximum int) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
BEGIN
    IF value IS NULL OR length(value) NOT BETWEEN 1 AND maximum OR value ~ '[[:cntrl:]]'
        OR btrim(value) <> value
    THEN
        RAISE EXCEPTION '%: expected a name of 1 to % characters, got %', argument, maximum,
            CASE WHEN value IS NULL THEN 'nothing'
                WHEN length(value) > 80 THEN format('%s characters', length(value))
                ELSE to_jsonb(value)::text END
            USING ERRCODE = '22023',
                HINT = 'Names have no control characters and no spaces at either end.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._check_name(text, text, int) IS
    'Raises 22023 unless value can be the name of a model, queue, host or idempotency key.';
