-- Cron expressions: reading them, and the next time one of them means.
--
-- A time of the expression is a time on the clock of its zone. What a change of that clock does:
--
-- A time that does not exist (02:30 when the clock goes from 02:00 to 03:00) is the first instant
-- after the gap, so that a nightly job runs on that night too. Not so when the hour is a wildcard
-- (starts with *): such an expression has a time after the gap anyway.
--
-- A time that comes twice (02:30 when the clock goes from 03:00 back to 02:00) is the first of the
-- two. Not so when minute or hour is a wildcard: "every 15 minutes" goes on by elapsed time, so it
-- takes both. This is what Vixie cron does.

CREATE TYPE rewardd.cron_plan AS (
    minutes int[],
    hours int[],
    days int[],
    months int[],
    weekdays int[],
    either_day boolean,
    moves boolean,
    repeats boolean
);
COMMENT ON TYPE rewardd.cron_plan IS 'A cron expression as the numbers it matches, ascending.';
COMMENT ON COLUMN rewardd.cron_plan.minutes IS '0 to 59.';
COMMENT ON COLUMN rewardd.cron_plan.hours IS '0 to 23.';
COMMENT ON COLUMN rewardd.cron_plan.days IS 'Of the month, 1 to 31.';
COMMENT ON COLUMN rewardd.cron_plan.months IS '1 to 12.';
COMMENT ON COLUMN rewardd.cron_plan.weekdays IS '0 (Sunday) to 6.';
COMMENT ON COLUMN rewardd.cron_plan.either_day IS
    'Whether a day has to match days or weekdays, because neither starts with *; else both.';
COMMENT ON COLUMN rewardd.cron_plan.moves IS
    'Whether a time that does not exist is the first instant after the gap; else it is none.';
COMMENT ON COLUMN rewardd.cron_plan.repeats IS
    'Whether a time that comes twice is both instants; else it is the first.';

CREATE FUNCTION rewardd._cron_number(word text, low int, high int, names text[]) RETURNS int
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    number constant int := CASE WHEN word ~ '^[0-9]{1,2}$' THEN word::int
        ELSE low - 1 + array_position(names, lower(word)) END;
BEGIN
    RETURN CASE WHEN number BETWEEN low AND high THEN number END;
END
$function$;
COMMENT ON FUNCTION rewardd._cron_number(text, int, int, text[]) IS
    'The number that a word of a cron field stands for, NULL for none within the bounds.';

CREATE FUNCTION rewardd._cron_field(
    field text, text text, low int, high int, names text[] DEFAULT '{}') RETURNS int[]
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    part text;
    piece text[];
    first int;
    last int;
    step int;
    numbers int[] := '{}';
BEGIN
    FOREACH part IN ARRAY string_to_array(text, ',') LOOP
        piece := regexp_match(
            part, '^(?:(\*)|([0-9]{1,2}|[a-zA-Z]{3})(?:-([0-9]{1,2}|[a-zA-Z]{3}))?)(?:/([0-9]{1,2}))?$');
        first := CASE WHEN piece[1] IS NULL
            THEN rewardd._cron_number(piece[2], low, high, names) ELSE low END;
        last := CASE WHEN piece[1] IS NOT NULL THEN high
            WHEN piece[3] IS NULL THEN first
            ELSE rewardd._cron_number(piece[3], low, high, names) END;
        step := coalesce(piece[4]::int, 1);
        -- A step takes a range or *: what 5/15 means differs between implementations.
        IF (piece IS NOT NULL AND first <= last AND step > 0
            AND (piece[4] IS NULL OR piece[1] IS NOT NULL OR piece[3] IS NOT NULL)) IS NOT TRUE
        THEN
            RAISE EXCEPTION 'cron: expected % %-%, got %', field, low, high,
                to_jsonb(left(part, 80))::text
                USING ERRCODE = '22023', HINT = 'A field is * or numbers, ranges such as 1-5, and '
                    'steps such as */15 or 8-18/2, joined by commas; months and weekdays have '
                    'names such as jan and mon too.';
        END IF;
        numbers := numbers || ARRAY(SELECT n FROM generate_series(first, last, step) AS n);
    END LOOP;
    RETURN numbers;
END
$function$;
COMMENT ON FUNCTION rewardd._cron_field(text, text, int, int, text[]) IS
    'The numbers one field of a cron expression matches, in its own order; 22023 for no field.';

CREATE FUNCTION rewardd._cron_text(cron text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN btrim(regexp_replace(cron, '\s+', ' ', 'g'));
COMMENT ON FUNCTION rewardd._cron_text(text) IS 'The expression with single spaces.';

CREATE FUNCTION rewardd._read_cron(cron text) RETURNS rewardd.cron_plan
LANGUAGE plpgsql IMMUTABLE
AS $function$
DECLARE
    fields text[];
    plan rewardd.cron_plan;
BEGIN
    fields := string_to_array(CASE lower(rewardd._cron_text(cron))
        WHEN '@hourly' THEN '0 * * * *'
        WHEN '@daily' THEN '0 0 * * *'
        WHEN '@midnight' THEN '0 0 * * *'
        WHEN '@weekly' THEN '0 0 * * 0'
        WHEN '@monthly' THEN '0 0 1 * *'
        WHEN '@yearly' THEN '0 0 1 1 *'
        WHEN '@annually' THEN '0 0 1 1 *'
        ELSE rewardd._cron_text(cron) END, ' ');
    IF (cardinality(fields) = 5 AND length(cron) <= 200) IS NOT TRUE THEN
        RAISE EXCEPTION 'cron: expected five fields or @hourly, @daily, @weekly, @monthly, '
            '@yearly, got %', CASE WHEN cron IS NULL THEN 'nothing'
                WHEN length(cron) > 80 THEN format('%s characters', length(cron))
                ELSE to_jsonb(cron)::text END
            USING ERRCODE = '22023', HINT = 'The fields are minute, hour, day of month, month and '
                'day of week: 0 2 * * * is every night at 2.';
    END IF;
    plan.minutes := rewardd._cron_field('minutes', fields[1], 0, 59);
    plan.hours := rewardd._cron_field('hours', fields[2], 0, 23);
    plan.days := rewardd._cron_field('days', fields[3], 1, 31);
    plan.months := rewardd._cron_field('months', fields[4], 1, 12,
        '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}');
    plan.weekdays := rewardd._cron_field('weekdays', fields[5], 0, 7,
        '{sun,mon,tue,wed,thu,fri,sat}');
    plan.minutes := ARRAY(SELECT DISTINCT n FROM unnest(plan.minutes) AS n ORDER BY n);
    plan.hours := ARRAY(SELECT DISTINCT n FROM unnest(plan.hours) AS n ORDER BY n);
    plan.days := ARRAY(SELECT DISTINCT n FROM unnest(plan.days) AS n ORDER BY n);
    plan.months := ARRAY(SELECT DISTINCT n FROM unnest(plan.months) AS n ORDER BY n);
    plan.weekdays := ARRAY(SELECT DISTINCT n % 7 FROM unnest(plan.weekdays) AS n ORDER BY 1);
    plan.either_day := fields[3] NOT LIKE '*%' AND fields[5] NOT LIKE '*%';
    plan.moves := fields[2] NOT LIKE '*%';
    plan.repeats := fields[1] LIKE '*%' OR fields[2] LIKE '*%';
    RETURN plan;
END
$function$;
COMMENT ON FUNCTION rewardd._read_cron(text) IS 'Reads a cron expression; 22023 for none.';

CREATE FUNCTION rewardd._matches_day(plan rewardd.cron_plan, day date) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN extract(month FROM day)::int = ANY ((plan).months) AND CASE WHEN (plan).either_day
    THEN extract(day FROM day)::int = ANY ((plan).days)
        OR extract(dow FROM day)::int = ANY ((plan).weekdays)
    ELSE extract(day FROM day)::int = ANY ((plan).days)
        AND extract(dow FROM day)::int = ANY ((plan).weekdays) END;
COMMENT ON FUNCTION rewardd._matches_day(rewardd.cron_plan, date) IS
    'Whether the expression has times on a day.';

CREATE FUNCTION rewardd._zone_offset(time_zone text, instant timestamptz) RETURNS interval
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (instant AT TIME ZONE time_zone) - (instant AT TIME ZONE 'UTC');
COMMENT ON FUNCTION rewardd._zone_offset(text, timestamptz) IS
    'How far the clocks of a zone are ahead of UTC at an instant.';

CREATE FUNCTION rewardd._instants(plan rewardd.cron_plan, time_zone text, clock timestamp)
RETURNS timestamptz[]
LANGUAGE plpgsql STABLE
AS $function$
DECLARE
    before constant interval :=
        rewardd._zone_offset(time_zone, (clock AT TIME ZONE 'UTC') - interval '24 hours');
    after constant interval :=
        rewardd._zone_offset(time_zone, (clock AT TIME ZONE 'UTC') + interval '24 hours');
    early timestamptz := (clock - greatest(before, after)) AT TIME ZONE 'UTC';
    late timestamptz := (clock - least(before, after)) AT TIME ZONE 'UTC';
    middle timestamptz;
BEGIN
    IF early AT TIME ZONE time_zone = clock THEN
        RETURN CASE WHEN plan.repeats AND late > early AND late AT TIME ZONE time_zone = clock
            THEN ARRAY[early, late] ELSE ARRAY[early] END;
    ELSIF late AT TIME ZONE time_zone = clock THEN
        RETURN ARRAY[late];
    ELSIF NOT plan.moves THEN
        RETURN '{}';
    END IF;
    -- The clock jumps over this time between early and late: halve until the jump is found to the
    -- second. A day, the longest jump there was, takes 17 steps.
    FOR step IN 1 .. 20 LOOP
        EXIT WHEN late - early <= interval '1 second';
        middle := date_trunc('second', early + (late - early) / 2);
        IF middle AT TIME ZONE time_zone < clock THEN
            early := middle;
        ELSE
            late := middle;
        END IF;
    END LOOP;
    RETURN ARRAY[late];
END
$function$;
COMMENT ON FUNCTION rewardd._instants(rewardd.cron_plan, text, timestamp) IS
    'The instants that a time of the expression on the clock of a zone means: none, one or two.';

CREATE FUNCTION rewardd._next_slot(plan rewardd.cron_plan, time_zone text, after timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE
AS $function$
DECLARE
    -- A day early: the clock may be set back over midnight.
    first_day constant date := (after AT TIME ZONE time_zone)::date - 1;
    day date;
    ahead interval;
    later interval;
    least_ahead interval;
    most_ahead interval;
    clock timestamp;
    passed int;
    minute int;
    found timestamptz;
BEGIN
    -- From one 29 February to the next it can be 8 years, 2921 days; this is a day more.
    FOR distance IN 0 .. 2923 LOOP
        day := first_day + distance;
        CONTINUE WHEN NOT rewardd._matches_day(plan, day);
        ahead := rewardd._zone_offset(time_zone, (day AT TIME ZONE 'UTC') - interval '16 hours');
        later := rewardd._zone_offset(time_zone, (day AT TIME ZONE 'UTC') + interval '40 hours');
        IF ahead = later THEN
            -- No change of the clock near this day: every time of it exists once.
            passed := floor(extract(
                epoch FROM (after AT TIME ZONE 'UTC') + ahead - day::timestamp) / 60)::int;
            SELECT min(h * 60 + m) INTO minute
            FROM unnest(plan.hours) AS h CROSS JOIN unnest(plan.minutes) AS m
            WHERE h * 60 + m > passed;
            found := (day + make_interval(mins => minute) - ahead) AT TIME ZONE 'UTC';
        ELSE
            -- Two days at once, because the first minutes of the second can come before the
            -- repeated last ones of the first.
            least_ahead := least(ahead, later,
                rewardd._zone_offset(time_zone, (day AT TIME ZONE 'UTC') + interval '64 hours'));
            most_ahead := greatest(ahead, later,
                rewardd._zone_offset(time_zone, (day AT TIME ZONE 'UTC') + interval '64 hours'));
            FOR clock IN
                SELECT t.clock
                FROM generate_series(0, 1) AS d (distance)
                CROSS JOIN unnest(plan.hours) AS h CROSS JOIN unnest(plan.minutes) AS m
                CROSS JOIN LATERAL (
                    SELECT day + d.distance + make_interval(hours => h, mins => m) AS clock) AS t
                WHERE rewardd._matches_day(plan, day + d.distance)
                    AND t.clock - least_ahead > after AT TIME ZONE 'UTC'
                ORDER BY t.clock
            LOOP
                EXIT WHEN found <= (clock - most_ahead) AT TIME ZONE 'UTC';
                SELECT least(found, min(i.instant)) INTO found
                FROM unnest(rewardd._instants(plan, time_zone, clock)) AS i (instant)
                WHERE i.instant > after;
            END LOOP;
        END IF;
        IF found IS NOT NULL THEN
            RETURN found;
        END IF;
    END LOOP;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION rewardd._next_slot(rewardd.cron_plan, text, timestamptz) IS
    'The first instant of the expression after another one, NULL for none within 8 years.';

CREATE FUNCTION rewardd._check_zone(time_zone text) RETURNS text
LANGUAGE plpgsql STABLE
AS $function$
DECLARE
    known text;
BEGIN
    SELECT z.name INTO known
    FROM pg_timezone_names z
    WHERE lower(z.name) = lower(time_zone);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'time_zone: expected the name of a time zone, got %',
            coalesce(to_jsonb(left(time_zone, 80))::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Such as UTC or Europe/Berlin.';
    END IF;
    RETURN known;
END
$function$;
COMMENT ON FUNCTION rewardd._check_zone(text) IS
    'The name of a time zone as PostgreSQL spells it; 22023 for none.';

CREATE FUNCTION rewardd._first_slot(cron text, time_zone text, after timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE
AS $function$
DECLARE
    slot constant timestamptz :=
        rewardd._next_slot(rewardd._read_cron(cron), time_zone, after);
BEGIN
    IF slot IS NULL THEN
        RAISE EXCEPTION 'cron: expected a time within 8 years, got none from %',
            to_jsonb(rewardd._cron_text(cron))::text
            USING ERRCODE = '22023', HINT = 'Is there such a day in such a month?';
    END IF;
    RETURN slot;
END
$function$;
COMMENT ON FUNCTION rewardd._first_slot(text, text, timestamptz) IS
    'The first instant of an expression after another one; 22023 where there is none.';

CREATE FUNCTION rewardd.next_slot(
    cron text, time_zone text DEFAULT 'UTC', after timestamptz DEFAULT now()) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, rewardd, pg_temp
AS $function$
BEGIN
    IF (next_slot.after BETWEEN '1970-01-01Z' AND '9000-01-01Z') IS NOT TRUE THEN
        RAISE EXCEPTION 'after: expected a time from 1970 to 9000, got %',
            coalesce(next_slot.after::text, 'nothing')
            USING ERRCODE = '22023', HINT = 'Leave it out for now.';
    END IF;
    RETURN _first_slot(next_slot.cron, _check_zone(next_slot.time_zone), next_slot.after);
END
$function$;
COMMENT ON FUNCTION rewardd.next_slot(text, text, timestamptz) IS
$comment$When a cron expression comes next: to try one before it is given to create_schedule, which
explains it. Errors: 22023 naming the argument. Role: any of rewardd's.$comment$;
REVOKE ALL ON FUNCTION rewardd.next_slot(text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewardd.next_slot(text, text, timestamptz)
    TO rewardd_submit, rewardd_read, rewardd_work, rewardd_admin;
