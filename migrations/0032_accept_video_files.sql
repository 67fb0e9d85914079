-- What enqueue accepts, third part: video files where lists of frames are. The options that say which of
-- their frames are shown stand in _option_rules.
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
