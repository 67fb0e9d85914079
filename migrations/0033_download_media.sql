-- Reading uploads back: exports copy the media of their pairs.

CREATE FUNCTION rewardd.download_media(digest bytea) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    found_bytes bytea;
BEGIN
    SELECT m.bytes INTO found_bytes
    FROM rewardd.media m
    WHERE m.digest = download_media.digest AND (
        EXISTS (
            SELECT FROM rewardd.media_upload u
            WHERE u.submitted_by = session_user AND u.digest = m.digest)
        OR pg_has_role(session_user, 'rewardd_read', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_work', 'MEMBER')
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'));
    IF NOT FOUND THEN
        -- The same words whether it does not exist or is another's: neither is told.
        RAISE EXCEPTION 'digest: expected media uploaded by "%", got unknown digest %',
            session_user, encode(download_media.digest, 'hex')
            USING ERRCODE = 'P0002', HINT = 'A role with rewardd_read reads all media.';
    END IF;
    RETURN found_bytes;
END
$function$;
COMMENT ON FUNCTION rewardd.download_media(bytea) IS
    'The upload with this SHA-256: for a submitter one it uploaded itself, for the reading roles '
    'any. Errors: P0002. Role: rewardd_submit, rewardd_read, rewardd_work or rewardd_admin.';
REVOKE ALL ON FUNCTION rewardd.download_media(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.download_media(bytea)
    TO rewardd_submit, rewardd_read, rewardd_work, rewardd_admin;
