-- Schedules: making and steering them.

CREATE FUNCTION rewardd._own_schedule(name text) RETURNS rewardd.schedule
LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    own rewardd.schedule;
BEGIN
    SELECT s.* INTO own
    FROM rewardd.schedule s
    WHERE s.name = _own_schedule.name AND (s.submitted_by = session_user
        OR pg_has_role(session_user, 'rewardd_admin', 'MEMBER'))
    FOR UPDATE;
    IF NOT FOUND THEN
        -- The same words for a schedule of somebody else.
        RAISE EXCEPTION 'schedule %: expected a schedule of "%", got none with this name',
            coalesce(to_jsonb(left(_own_schedule.name, 80))::text, 'NULL'), session_user
            USING ERRCODE = 'P0002', HINT = 'rewardd.schedule_status lists your schedules.';
    END IF;
    own.items := NULL;
    RETURN own;
END
$function$;
COMMENT ON FUNCTION rewardd._own_schedule(text) IS
    'Locks a schedule of the session''s user, or any for an administrator, and returns it without '
    'its items; P0002 for none.';

CREATE FUNCTION rewardd._check_policy(argument text, policy text, policies text[]) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $function$
BEGIN
    IF (policy = ANY (policies)) IS NOT TRUE THEN
        RAISE EXCEPTION '%: expected one of %, got %', argument,
            array_to_string(policies, ', '),
            coalesce(to_jsonb(left(policy, 80))::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Leave it out for the usual one.';
    END IF;
END
$function$;
COMMENT ON FUNCTION rewardd._check_policy(text, text, text[]) IS
    'Raises 22023 unless the policy is one of those.';

CREATE FUNCTION rewardd._check_schedule(wanted rewardd.schedule) RETURNS void
LANGUAGE plpgsql STABLE
AS $function$
DECLARE
    shape record;
    hint text;
BEGIN
    PERFORM rewardd._check_name('name', wanted.name, 200);
    PERFORM rewardd._check_policy(
        'misfire', wanted.misfire, ARRAY['coalesce', 'catch_up', 'skip']);
    PERFORM rewardd._check_policy('overlap', wanted.overlap, ARRAY['allow', 'skip', 'queue']);
    PERFORM rewardd._check_submission(wanted.kind, wanted.task, wanted.model, wanted.options,
        wanted.queue, coalesce(wanted.priority, 0), wanted.items);
    SELECT * INTO shape FROM rewardd._item_fields(wanted.kind, wanted.task);
    hint := rewardd._item_hint(wanted.kind, wanted.task, shape.fields);
    PERFORM rewardd._check_item(shape.fields, shape.shapes, hint, e.position - 1, e.payload)
    FROM jsonb_array_elements(wanted.items) WITH ORDINALITY AS e (payload, position);
    PERFORM rewardd._check_media(wanted.submitted_by, wanted.items);
END
$function$;
COMMENT ON FUNCTION rewardd._check_schedule(rewardd.schedule) IS
    'Raises what create_schedule refuses but for cron and time_zone: 22023, or P0002 for the queue.';

CREATE FUNCTION rewardd._same_definition(one rewardd.schedule, other rewardd.schedule)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((one).cron, (one).time_zone, (one).misfire, (one).overlap, (one).kind, (one).task,
        (one).model, (one).queue, (one).priority, (one).options, (one).items)
    IS NOT DISTINCT FROM
    ((other).cron, (other).time_zone, (other).misfire, (other).overlap, (other).kind, (other).task,
        (other).model, (other).queue, (other).priority, (other).options, (other).items);
COMMENT ON FUNCTION rewardd._same_definition(rewardd.schedule, rewardd.schedule) IS
    'Whether two schedules do the same at the same times.';

CREATE FUNCTION rewardd.create_schedule(
    name text, cron text, kind text, items jsonb, task text, model text,
    options jsonb DEFAULT '{}', queue text DEFAULT 'default', priority int DEFAULT NULL,
    time_zone text DEFAULT 'UTC', misfire text DEFAULT 'coalesce', overlap text DEFAULT 'skip',
    replace boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    wanted rewardd.schedule;
    present rewardd.schedule;
BEGIN
    IF create_schedule.priority NOT BETWEEN -1000 AND 1000 THEN
        RAISE EXCEPTION 'priority: expected -1000 to 1000, got %', create_schedule.priority
            USING ERRCODE = '22023', HINT = 'The highest priority is claimed first; 0 is usual.';
    END IF;
    wanted.name := create_schedule.name;
    wanted.cron := _cron_text(create_schedule.cron);
    wanted.misfire := coalesce(create_schedule.misfire, 'coalesce');
    wanted.overlap := coalesce(create_schedule.overlap, 'skip');
    wanted.kind := create_schedule.kind;
    wanted.task := create_schedule.task;
    wanted.model := create_schedule.model;
    wanted.queue := coalesce(create_schedule.queue, 'default');
    wanted.priority := create_schedule.priority;
    wanted.submitted_by := session_user;
    wanted.options := coalesce(create_schedule.options, '{}');
    wanted.items := create_schedule.items;
    PERFORM _check_schedule(wanted);
    wanted.items_total := jsonb_array_length(wanted.items);
    PERFORM _read_cron(create_schedule.cron);
    wanted.time_zone := _check_zone(coalesce(create_schedule.time_zone, 'UTC'));
    wanted.next_slot := _first_slot(wanted.cron, wanted.time_zone, clock_timestamp());

    INSERT INTO rewardd.schedule AS s (name, next_slot, items_total, priority, cron, time_zone,
        misfire, overlap, kind, task, model, queue, submitted_by, options, items)
    VALUES (wanted.name, wanted.next_slot, wanted.items_total, wanted.priority, wanted.cron,
        wanted.time_zone, wanted.misfire, wanted.overlap, wanted.kind, wanted.task, wanted.model,
        wanted.queue, wanted.submitted_by, wanted.options, wanted.items)
    ON CONFLICT (name) DO NOTHING;
    IF FOUND THEN
        RETURN 'created';
    END IF;
    SELECT s.* INTO present
    FROM rewardd.schedule s
    WHERE s.name = wanted.name
    FOR UPDATE;
    IF present.submitted_by IS DISTINCT FROM session_user THEN
        RAISE EXCEPTION 'name: expected a free name, got %, which is taken',
            to_jsonb(wanted.name)::text
            USING ERRCODE = '55000', HINT = 'Choose another name for the schedule.';
    ELSIF _same_definition(wanted, present) THEN
        RETURN 'unchanged';
    ELSIF create_schedule.replace IS NOT TRUE THEN
        RAISE EXCEPTION 'schedule %: expected its present definition again, got another one',
            to_jsonb(wanted.name)::text
            USING ERRCODE = '55000', DETAIL = format('It is %s by "%s" at %s, %s, of %s items.',
                    present.kind, present.model, to_jsonb(present.cron), present.time_zone,
                    present.items_total),
                HINT = 'Give replace => true to change it, or choose another name.';
    END IF;
    UPDATE rewardd.schedule s
    SET next_slot = wanted.next_slot, created_at = clock_timestamp(),
        items_total = wanted.items_total, priority = wanted.priority, cron = wanted.cron,
        time_zone = wanted.time_zone, misfire = wanted.misfire, overlap = wanted.overlap,
        kind = wanted.kind, task = wanted.task, model = wanted.model, queue = wanted.queue,
        options = wanted.options, items = wanted.items
    WHERE s.name = wanted.name;
    RETURN 'replaced';
END
$function$;
COMMENT ON FUNCTION rewardd.create_schedule(
    text, text, text, jsonb, text, text, jsonb, text, int, text, text, text, boolean) IS
$comment$Repeats a submission by a cron expression. Running daemons enqueue it, as a job of the
caller's, within about a second of each time; one of them does, however many there are.

name      of the schedule, one in the database.
cron      minute (0-59) hour (0-23) day of month (1-31) month (1-12 or jan-dec) day of week (0-7 or
          sun-sat; 0 and 7 are Sunday), each * or a list of numbers, ranges (8-18) and steps (*/15,
          8-18/2); or @hourly, @daily, @weekly, @monthly, @yearly. Where day of month and day of
          week both do not start with *, either is enough. rewardd.next_slot tries an expression.
kind, items, task, model, options, queue, priority
          as in enqueue, and checked now and again each time.
time_zone whose clock it goes by (UTC). A time in the gap when clocks go forward is the first
          instant after it, unless the hour starts with *. A time that comes twice when they go back
          is the first, unless minute or hour start with *: these go on by elapsed time.
misfire   what becomes of times that passed while no daemon ran. coalesce: one job for all of them.
          catch_up: a job for each, which takes overlap allow too. skip: none for what is over a
          minute late.
overlap   what a time does while the schedule's previous job has not ended. skip: nothing. queue: it
          waits for that end, one at most. allow: it is enqueued beside it.
replace   true to change a schedule of that name. It stays paused if it was, and what its present
          plan has missed is forgotten.

Returns created; unchanged (the same again); or replaced.

Errors: 22023 naming the argument, P0002 unknown queue, 55000 another definition, or a name that is
another user's. Role: rewardd_submit.$comment$;

CREATE FUNCTION rewardd.drop_schedule(name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    PERFORM _own_schedule(drop_schedule.name);
    DELETE FROM rewardd.schedule_slot p WHERE p.name = drop_schedule.name;
    DELETE FROM rewardd.schedule s WHERE s.name = drop_schedule.name;
END
$function$;
COMMENT ON FUNCTION rewardd.drop_schedule(text) IS
    'Removes a schedule and the record of its slots; its jobs stay. Errors: P0002. Roles: '
    'rewardd_submit for its own, rewardd_admin.';

CREATE FUNCTION rewardd.pause_schedule(name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    PERFORM _own_schedule(pause_schedule.name);
    UPDATE rewardd.schedule s
    SET paused_at = clock_timestamp()
    WHERE s.name = pause_schedule.name AND s.paused_at IS NULL;
END
$function$;
COMMENT ON FUNCTION rewardd.pause_schedule(text) IS
    'Nothing more is enqueued for the schedule; jobs it has enqueued go on. Errors: P0002. Roles: '
    'rewardd_submit for its own, rewardd_admin.';

CREATE FUNCTION rewardd.resume_schedule(name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    PERFORM _own_schedule(resume_schedule.name);
    UPDATE rewardd.schedule s
    SET paused_at = NULL,
        next_slot = _next_slot(_read_cron(s.cron), s.time_zone, clock_timestamp())
    WHERE s.name = resume_schedule.name AND s.paused_at IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION rewardd.resume_schedule(text) IS
    'Goes on with a paused schedule at its next time; times that passed in the pause do not count '
    'as missed. Errors: P0002. Roles: rewardd_submit for its own, rewardd_admin.';

REVOKE ALL ON FUNCTION rewardd.create_schedule(
        text, text, text, jsonb, text, text, jsonb, text, int, text, text, text, boolean),
    rewardd.drop_schedule(text), rewardd.pause_schedule(text), rewardd.resume_schedule(text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.create_schedule(
    text, text, text, jsonb, text, text, jsonb, text, int, text, text, text, boolean)
    TO rewardd_submit;
GRANT EXECUTE ON FUNCTION rewardd.drop_schedule(text), rewardd.pause_schedule(text),
    rewardd.resume_schedule(text) TO rewardd_submit, rewardd_admin;
