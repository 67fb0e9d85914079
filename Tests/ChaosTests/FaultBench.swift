import Foundation
import Glibc
import Postgres
import Staging
import Testing

@testable import Chaos

/// Daemons, a server of their own and jobs, for one fault at a time.
final class FaultBench {
    struct Timeout: Error {}

    let stage: ChaosStage
    /// What went wrong on its own so far.
    private(set) var incidents: [Violation] = []

    private let daemons: Int
    private var auditor = Auditor()
    private var submitted = 0
    private let start = ContinuousClock.now

    /// The folder of the test's executable, where `rewardd` and `rewardbench` are too.
    static func products() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: own).deletingLastPathComponent().path
    }

    /// - Parameter directory: Where everything is kept; taken away with the bench if it is not given.
    init(
        daemons: Int,
        answerMilliseconds: Int = 20,
        directory: String? = nil,
        environment: [String: String] = [:]
    ) throws {
        self.daemons = daemons
        var plan = ChaosPlan(seconds: 10, daemons: daemons, seed: 1)
        plan.answerMilliseconds = answerMilliseconds
        plan.keptDirectory = directory
        plan.daemonEnvironment = environment
        stage = try ChaosStage(plan, daemonProgram: Self.products() + "/rewardd")
    }

    deinit { stage.clear() }

    /// Seconds since the bench was made.
    var now: Double { start.duration(to: .now) / .seconds(1) }

    /// A superuser's connection without time limits.
    func connect() throws -> Connection {
        try Connection(url: stage.cluster.url, applicationName: "fault test", options: .patient)
    }

    /// Submits jobs of sound items, no two questions alike.
    func submit(jobs: Int, items: Int, delay: Double = 0) throws {
        let connection = try connect()
        for _ in 0..<jobs {
            submitted += 1
            let list = (0..<items).map { item in
                #"{"id": "sound-\#(submitted)-\#(item)", "#
                    + #""caption": "item \#(item) of job \#(submitted)", "#
                    + #""image": "\#(stage.media.picture(item))"}"#
            }
            let job = try connection.execute(
                """
                SELECT rewardd.enqueue('point_score', \(json: "[\(list.joined(separator: ","))]"),
                    'image_generation', \(Workload.model), '{"shard_size": 4, "max_attempts": 20}',
                    run_at => now() + make_interval(secs => \(delay)::float8)) AS job_id
                """
            ).only().int64("job_id")
            auditor.witness.acknowledged(
                job: job,
                kind: "point_score",
                items: items,
                queue: "default",
                key: nil
            )
        }
    }

    /// Lets the daemons live until a condition holds; fails the test after the limit. A server that is away
    /// is a condition that does not hold.
    func play(
        until what: Comment,
        seconds limit: Double = 60,
        _ condition: (Connection) throws -> Bool
    ) async throws {
        let deadline = now + limit
        var connection: Connection?
        while true {
            incidents += try stage.fleet.tick(at: now)
            do {
                let open = try connection ?? connect()
                connection = open
                if try condition(open) { return }
            } catch let error as PostgresError where error.isConnectionLost {
                connection = nil
            }
            guard now < deadline else {
                Issue.record(
                    "\(what) did not happen in \(limit) s\n\(stage.fleet.log(0).suffix(3000))"
                )
                throw Timeout()
            }
            // Not `Task.sleep`: the tests beside this one hold their threads for a minute at a time, and whoever
            // gives its own away may not get one back before its limit.
            usleep(30_000)
        }
    }

    /// Lets the daemons live for some time.
    func play(seconds: Double) async throws {
        let end = now + seconds
        try await play(until: "the passing of time", seconds: seconds + 60) { _ in now >= end }
    }

    /// Waits until all daemons have registered and enough judgements are stored to say that they are at work.
    func playUntilAtWork() async throws {
        try await play(until: "work") { connection in
            try number(
                """
                SELECT least((SELECT count(*) FROM rewardd.judgement) - 5,
                    (SELECT count(*) FROM rewardd.daemon WHERE stopped_at IS NULL) - \(daemons) + 1)
                    AS n
                """,
                connection
            ) > 0
        }
    }

    /// Waits until every job has ended, and asks the auditor.
    func expectAllWell(seconds: Double = 90) async throws {
        try await play(until: "the end of all jobs", seconds: seconds) { connection in
            try number(
                "SELECT count(*) AS n FROM rewardd.job WHERE finished_at IS NULL",
                connection
            ) == 0
        }
        var circumstances = Auditor.Circumstances()
        circumstances.isSettled = true
        let violations = try auditor.audit(connect(), circumstances)
        #expect(violations == [])
        let missing = try number(
            """
            SELECT coalesce(sum(j.items_total - j.items_done - j.items_failed), 0)::bigint AS n
            FROM rewardd.job j
            WHERE j.state <> 'cancelled'
            """,
            connect()
        )
        #expect(missing == 0)
        incidents += stage.fleet.farewell()
        #expect(incidents == [])
    }

    /// One number.
    func number(_ query: Query, _ connection: Connection) throws -> Int {
        try connection.execute(query).only().int("n")
    }

    /// How many daemons were declared dead.
    func deaths() throws -> Int {
        try number(
            """
            SELECT count(*) AS n FROM rewardd.daemon
            WHERE stop_reason IN ('lease_expired', 'connection_lost')
            """,
            connect()
        )
    }
}
