-- Files stored in the database, for submitters that share no file system with the daemons.

CREATE FUNCTION rewardd.put_media(bytes bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    digest bytea;
BEGIN
    IF put_media.bytes IS NULL OR octet_length(put_media.bytes) NOT BETWEEN 1 AND 67108864 THEN
        RAISE EXCEPTION 'bytes: expected 1 to 67108864 bytes, got %',
            coalesce(octet_length(put_media.bytes)::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Store larger files on disk and give their path.';
    END IF;
    digest := sha256(put_media.bytes);
    INSERT INTO rewardd.media AS m (digest, byte_count, bytes)
    VALUES (digest, octet_length(put_media.bytes), put_media.bytes)
    ON CONFLICT DO NOTHING;
    INSERT INTO rewardd.media_upload (digest) VALUES (digest) ON CONFLICT DO NOTHING;
    RETURN encode(digest, 'hex');
END
$function$;
COMMENT ON FUNCTION rewardd.put_media(bytea) IS
    'Stores a file of at most 64 MiB and returns its SHA-256 in hex, to be used in items as '
    '{"media": "…"}. The same file again costs nothing. Only its uploaders can use it. '
    'Errors: 22023. Role: rewardd_submit.';

CREATE FUNCTION rewardd.get_media(digest bytea) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
BEGIN ATOMIC
    SELECT m.bytes FROM rewardd.media m WHERE m.digest = get_media.digest;
END;
COMMENT ON FUNCTION rewardd.get_media(bytea) IS
    'The stored file with this SHA-256, NULL for none. Role: rewardd_work.';

REVOKE ALL ON FUNCTION rewardd.put_media(bytea), rewardd.get_media(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.put_media(bytea) TO rewardd_submit;
GRANT EXECUTE ON FUNCTION rewardd.get_media(bytea) TO rewardd_work;
