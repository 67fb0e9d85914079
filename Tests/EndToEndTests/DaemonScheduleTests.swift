import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

/// Schedules with real daemons: nobody calls a function but them.
@Suite("Schedules of a daemon", .serialized)
struct DaemonScheduleTests {
    @Test("a due slot is enqueued once by two daemons, soon, and judged")
    func due() throws {
        let bench = try Workbench()
        let daemons = [try bench.daemon(), try bench.daemon()]
        try bench.wait("two daemons", daemon: daemons[0]) {
            try bench.number("SELECT count(*) AS n FROM rewardd.daemon") == 2
        }
        _ = try bench.submitter().execute(
            """
            SELECT rewardd.create_schedule(name => 'nightly', cron => '@yearly',
                kind => 'point_score', task => 'image_generation', model => 'tiny',
                items => \(Workbench.pointItems(2))::jsonb)
            """
        )
        for round in 1...3 {
            _ = try bench.connection.execute(
                "UPDATE rewardd.schedule SET next_slot = clock_timestamp() + interval '200 ms'"
            )
            try bench.wait("the slot of round \(round)", daemon: daemons[0]) {
                try bench.number(
                    """
                    SELECT count(*) AS n FROM rewardd.job j
                    WHERE j.finished_at IS NOT NULL AND j.state = 'completed'
                    """
                ) == Int64(round)
            }
        }
        #expect(try bench.number("SELECT count(*) AS n FROM rewardd.job") == 3)
        #expect(
            try bench.number(
                """
                SELECT count(*) AS n FROM rewardd.schedule_slot
                WHERE outcome = 'enqueued' AND at - slot < interval '10 seconds'
                """
            ) == 3
        )
        #expect(
            try bench.number(
                "SELECT count(*) AS n FROM rewardd.item_result WHERE state = 'completed'"
            ) == 6
        )
        for daemon in daemons { daemon.signal(SIGTERM) }
        for daemon in daemons { #expect(daemon.wait() == 0) }
        #expect(daemons.contains { $0.log.contains("schedules ran") })
    }

    @Test("slots missed while no daemon ran are run by the next one, by the schedule's policy")
    func missed() throws {
        let bench = try Workbench()
        _ = try bench.submitter().execute(
            """
            SELECT rewardd.create_schedule(name => 'often', cron => '0 0 * * *',
                kind => 'point_score', task => 'image_generation', model => 'tiny',
                items => \(Workbench.pointItems(1))::jsonb)
            """
        )
        _ = try bench.connection.execute(
            "UPDATE rewardd.schedule SET next_slot = next_slot - interval '60 days'"
        )
        let daemon = try bench.daemon()
        try bench.wait("the end of the job", daemon: daemon) {
            try bench.number(
                "SELECT count(*) AS n FROM rewardd.job WHERE state = 'completed'"
            ) == 1
        }
        #expect(try bench.number("SELECT count(*) AS n FROM rewardd.schedule_slot") == 60)
        #expect(
            try bench.number(
                "SELECT count(*) AS n FROM rewardd.schedule_slot WHERE outcome = 'skipped'"
            ) == 59
        )
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }
}
