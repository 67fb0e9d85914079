import Postgres
import TestSupport
import Testing

/// What breaks silently without it: a nightly job that does not run on the night of a clock change,
/// or runs twice.
@Suite("cron expressions")
struct CronTests {
    /// An expression in a zone, an instant, and the slots that follow it, all in UTC.
    struct Case: CustomTestStringConvertible, Sendable {
        let cron: String
        var zone = "UTC"
        let after: String
        let slots: [String]

        var testDescription: String { "\(cron) in \(zone) after \(after)" }
    }

    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
        try queue.connection.execute("SET TimeZone = 'Pacific/Auckland'")
    }

    static let plain = [
        Case(
            cron: "0 2 * * *",
            after: "2026-01-31 02:00",
            slots: ["2026-02-01 02:00", "2026-02-02 02:00"]
        ),
        Case(cron: "* * * * *", after: "2026-12-31 23:59:30", slots: ["2027-01-01 00:00"]),
        Case(
            cron: "*/25 8-10/2 * * *",
            after: "2026-05-01 08:10",
            slots: [
                "2026-05-01 08:25", "2026-05-01 08:50", "2026-05-01 10:00", "2026-05-01 10:25",
                "2026-05-01 10:50", "2026-05-02 08:00",
            ]
        ),
        Case(
            cron: "5,1,5,3-4 0 * * *",
            after: "2026-05-01 00:00",
            slots: [
                "2026-05-01 00:01", "2026-05-01 00:03", "2026-05-01 00:04", "2026-05-01 00:05",
                "2026-05-02 00:01",
            ]
        ),
        Case(
            cron: "0 0 29 2 *",
            after: "2026-01-01",
            slots: ["2028-02-29 00:00", "2032-02-29 00:00"]
        ),
        Case(
            cron: "59 23 29 FEB *",
            after: "2096-02-29 23:59",
            slots: ["2104-02-29 23:59"]
        ),
        Case(
            cron: "0 0 31 * *",
            after: "2026-03-31",
            slots: ["2026-05-31 00:00", "2026-07-31 00:00"]
        ),
        Case(
            cron: "0 12 1 jAn,Jul-aug *",
            after: "2026-01-01 12:00",
            slots: ["2026-07-01 12:00", "2026-08-01 12:00", "2027-01-01 12:00"]
        ),
        // Both days restricted: either is enough. 2026-11-13 is a Friday.
        Case(
            cron: "0 0 13 * fri",
            after: "2026-11-01",
            slots: [
                "2026-11-06 00:00", "2026-11-13 00:00", "2026-11-20 00:00", "2026-11-27 00:00",
                "2026-12-04 00:00", "2026-12-11 00:00", "2026-12-13 00:00",
            ]
        ),
        // A field that starts with * does not restrict: both have to match.
        Case(cron: "0 0 */13 * fri", after: "2026-11-02", slots: ["2026-11-27 00:00"]),
        Case(
            cron: "0 0 * * 0",
            after: "2026-11-01",
            slots: ["2026-11-08 00:00", "2026-11-15 00:00"]
        ),
        Case(cron: "0 0 * * 7", after: "2026-11-01", slots: ["2026-11-08 00:00"]),
        Case(
            cron: "0 0 * * fri-7",
            after: "2026-11-01",
            slots: ["2026-11-06 00:00", "2026-11-07 00:00", "2026-11-08 00:00"]
        ),
        Case(cron: "@hourly", after: "2026-11-01 10:20", slots: ["2026-11-01 11:00"]),
        Case(cron: " @Daily ", after: "2026-11-01 10:20", slots: ["2026-11-02 00:00"]),
        Case(cron: "@weekly", after: "2026-11-02", slots: ["2026-11-08 00:00"]),
        Case(cron: "@monthly", after: "2026-11-02", slots: ["2026-12-01 00:00"]),
        Case(cron: "@yearly", after: "2026-11-02", slots: ["2027-01-01 00:00"]),
        Case(cron: "0\t2  *\n* *", after: "2026-11-02", slots: ["2026-11-02 02:00"]),
        Case(
            cron: "30 0 * * *",
            zone: "Asia/Kolkata",
            after: "2026-11-02 18:00",
            slots: ["2026-11-02 19:00"]
        ),
    ]

    /// Berlin: 2026-03-29 02:00 becomes 03:00 (01:00 UTC), 2026-10-25 03:00 becomes 02:00 (01:00 UTC).
    /// New York: 2026-03-08 02:00 becomes 03:00 (07:00 UTC), 2026-11-01 02:00 becomes 01:00 (06:00 UTC).
    static let clockChanges = [
        Case(
            cron: "30 2 * * *",
            zone: "Europe/Berlin",
            after: "2026-03-27 12:00",
            slots: ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"]
        ),
        Case(
            cron: "30 2 * * *",
            zone: "Europe/Berlin",
            after: "2026-10-23 12:00",
            slots: ["2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30"]
        ),
        Case(
            cron: "30 2 * * *",
            zone: "America/New_York",
            after: "2026-03-07 12:00",
            slots: ["2026-03-08 07:00", "2026-03-09 06:30"]
        ),
        Case(
            cron: "30 1 * * *",
            zone: "America/New_York",
            after: "2026-10-31 12:00",
            slots: ["2026-11-01 05:30", "2026-11-02 06:30"]
        ),
        // All times in the gap are the one instant after it.
        Case(
            cron: "*/20 2,3 * * *",
            zone: "Europe/Berlin",
            after: "2026-03-29 00:00",
            slots: ["2026-03-29 01:00", "2026-03-29 01:20", "2026-03-29 01:40", "2026-03-30 00:00"]
        ),
        // Wildcards go by elapsed time: nothing extra after a gap, and both hours of an overlap.
        Case(
            cron: "30 * * * *",
            zone: "Europe/Berlin",
            after: "2026-03-29 00:00",
            slots: ["2026-03-29 00:30", "2026-03-29 01:30", "2026-03-29 02:30"]
        ),
        Case(
            cron: "30 * * * *",
            zone: "Europe/Berlin",
            after: "2026-10-24 23:45",
            slots: ["2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"]
        ),
        Case(
            cron: "*/15 1 * * *",
            zone: "America/New_York",
            after: "2026-11-01 05:25",
            slots: [
                "2026-11-01 05:30", "2026-11-01 05:45", "2026-11-01 06:00", "2026-11-01 06:15",
                "2026-11-01 06:30", "2026-11-01 06:45", "2026-11-02 06:00",
            ]
        ),
        // Half an hour forward at 02:00, on Lord Howe.
        Case(
            cron: "15 2 * * *",
            zone: "Australia/Lord_Howe",
            after: "2026-10-03 00:00",
            slots: ["2026-10-03 15:30", "2026-10-04 15:15"]
        ),
        // Midnight itself is jumped over, in Cairo.
        Case(
            cron: "0 0 * * *",
            zone: "Africa/Cairo",
            after: "2026-04-23 00:00",
            slots: ["2026-04-23 22:00", "2026-04-24 21:00"]
        ),
        // A whole day is jumped over: there was no 30 December 2011 in Samoa.
        Case(
            cron: "0 12 30 12 *",
            zone: "Pacific/Apia",
            after: "2011-12-01 00:00",
            slots: ["2011-12-30 10:00", "2012-12-29 22:00"]
        ),
    ]

    @Test("name the slots that follow an instant", arguments: plain + clockChanges)
    func slots(example: Case) throws {
        var after = example.after
        for expected in example.slots {
            after = try queue.text(
                """
                SELECT to_char(rewardd._next_slot(rewardd._read_cron(\(example.cron)),
                    \(example.zone), \(after)::timestamp AT TIME ZONE 'UTC') AT TIME ZONE 'UTC',
                    'YYYY-MM-DD HH24:MI') AS value
                """
            )
            #expect(after == expected)
        }
    }

    @Test(
        "that mean nothing are refused with what was expected",
        arguments: [
            ("", "expected five fields or @hourly, @daily, @weekly, @monthly, @yearly, got \"\""),
            ("0 2 * *", "expected five fields or @hourly"),
            ("0 0 2 * * *", "expected five fields or @hourly"),
            ("@reboot", "expected five fields or @hourly"),
            ("60 * * * *", "expected minutes 0-59, got \"60\""),
            ("* 24 * * *", "expected hours 0-23, got \"24\""),
            ("* * 0 * *", "expected days 1-31, got \"0\""),
            ("* * * 13 *", "expected months 1-12, got \"13\""),
            ("* * * foo *", "expected months 1-12, got \"foo\""),
            ("* * * * 8", "expected weekdays 0-7, got \"8\""),
            ("* * * * fri-mon", "expected weekdays 0-7, got \"fri-mon\""),
            ("5-1 * * * *", "expected minutes 0-59, got \"5-1\""),
            ("*/0 * * * *", "expected minutes 0-59, got \"*/0\""),
            ("5/15 * * * *", "expected minutes 0-59, got \"5/15\""),
            ("1,,2 * * * *", "expected minutes 0-59, got \"\""),
            ("jan * * * *", "expected minutes 0-59, got \"jan\""),
            ("99999999999 * * * *", "expected minutes 0-59, got \"99999999999\""),
            ("-1 * * * *", "expected minutes 0-59, got \"-1\""),
            ("? * * * L", "expected minutes 0-59, got \"?\""),
            ("0 0 31 2 *", "expected a time within 8 years, got none from \"0 0 31 2 *\""),
            ("0 0 30 feb *", "expected a time within 8 years"),
            ("0 0 31 4,6,9,11 *", "expected a time within 8 years"),
        ]
    )
    func refused(cron: String, complaint: String) throws {
        let error = try queue.refusal {
            try queue.connection.execute("SELECT rewardd.next_slot(\(cron))")
        }
        #expect(error?.sqlState == .invalidParameterValue)
        #expect(error?.message.hasPrefix("cron: \(complaint)") == true, "\(error?.message ?? "")")
        #expect(error?.hint != nil)
    }

    @Test("need a zone that exists and a time that is one")
    func otherArguments() throws {
        for zone in ["Mars/Olympus", "", "FOO5", "+02", "CESTx"] {
            let error = try queue.refusal {
                try queue.connection.execute("SELECT rewardd.next_slot('@daily', \(zone))")
            }
            #expect(error?.message.hasPrefix("time_zone: expected the name of a time zone") == true)
            #expect(error?.sqlState == .invalidParameterValue)
        }
        #expect(
            try queue.text(
                """
                SELECT to_char(rewardd.next_slot('@daily', 'europe/BERLIN', '2026-07-01Z')
                    AT TIME ZONE 'UTC', 'HH24:MI') AS value
                """
            ) == "22:00"
        )
        for moment in ["infinity", "-infinity"] {
            let error = try queue.refusal {
                try queue.connection.execute(
                    "SELECT rewardd.next_slot('@daily', 'UTC', \(moment)::timestamptz)"
                )
            }
            #expect(error?.message.hasPrefix("after: expected a time") == true)
        }
        let missing = try queue.refusal {
            try queue.connection.execute("SELECT rewardd.next_slot(NULL)")
        }
        #expect(missing?.message.hasSuffix("got nothing") == true)
    }

    @Test("of random characters are read or refused, and nothing else")
    func fuzz() throws {
        let outcome = try queue.connection.execute(
            """
            DO $$
            DECLARE
                alphabet constant text[] := regexp_split_to_array(
                    '0123456789*/,-   @#?LWjanfribmosuhTé' || chr(9) || chr(160) || chr(383) || chr(8490)
                    || '"\\%$', '');
                text text;
            BEGIN
                PERFORM setseed(0.25);
                FOR round IN 1 .. 4000 LOOP
                    text := (
                        SELECT string_agg(alphabet[1 + floor(random() * cardinality(alphabet))::int], '')
                        FROM generate_series(1, (random() * 24)::int + round * 0)
                    ) || CASE WHEN round % 2 = 0 THEN ' * * * *' ELSE '' END;
                    BEGIN
                        PERFORM rewardd._first_slot(text, 'Europe/Berlin', '2026-03-29 00:59Z');
                    EXCEPTION WHEN SQLSTATE '22023' THEN
                        IF SQLERRM NOT LIKE 'cron: expected %, got %' THEN
                            RAISE;
                        END IF;
                    END;
                END LOOP;
            END
            $$
            """
        )
        #expect(outcome.isEmpty)
    }
}
