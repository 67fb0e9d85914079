import Glibc
import Postgres
import Staging

/// Real daemons on one database, without faults but the one that a part asks for.
final class BenchmarkDaemons {
    /// One that runs.
    private struct Member {
        let launch: DaemonLaunch
        var process: ChildProcess
    }

    private let steps: BenchmarkSteps
    private let observer: Connection
    private var members: [Member] = []

    /// Starts `count` daemons and waits until all of them are idle.
    init(
        _ count: Int,
        database: BenchmarkDatabase,
        answerMilliseconds: Int,
        steps: BenchmarkSteps
    ) throws {
        self.steps = steps
        observer = try database.superuser()
        do {
            for place in 0..<count {
                let launch = try database.stage.daemon(
                    "\(database.name)-\(place)",
                    database: database,
                    answerMilliseconds: answerMilliseconds
                )
                members.append(Member(launch: launch, process: try launch.start()))
            }
            try awaitIdle()
        } catch {
            end()
            throw error
        }
    }

    /// Their process numbers.
    var processes: [pid_t] { members.map(\.process.id) }

    /// Kills one outright.
    func kill(_ place: Int) {
        members[place].process.send(SIGKILL)
        members[place].process.wait()
    }

    /// Starts one that was killed again.
    func restart(_ place: Int) throws {
        members[place].process = try members[place].launch.start()
    }

    /// Waits until every one has registered and has nothing to do.
    func awaitIdle() throws {
        try wait(for: "the daemons to be idle", seconds: 60) {
            try observer.execute(
                """
                SELECT count(*) = \(members.count)::int AS reached
                FROM rewardd.daemon d
                WHERE d.stopped_at IS NULL AND d.idle
                    AND d.pid = ANY (\(processes.map(Int64.init)))
                """
            ).only().bool("reached")
        }
    }

    /// Waits until something holds, and throws when a daemon ends meanwhile, or when it takes too long.
    func wait(
        for what: String,
        seconds: Double,
        every microseconds: UInt32 = 20_000,
        _ holds: () throws -> Bool
    ) throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try !holds() {
            try steps.check()
            for member in members {
                if let status = member.process.poll(), status != -SIGKILL {
                    throw failure("daemon ended with status \(status)", member)
                }
            }
            guard ContinuousClock.now < deadline else {
                throw ChildProcess.Failure(
                    description: "expected \(what) within \(Int(seconds)) s, got no end of it; the "
                        + "first daemon's last words:\n    \(members.first?.launch.lastWords ?? "")"
                )
            }
            usleep(microseconds)
        }
    }

    /// Kills all.
    func end() {
        for member in members {
            member.process.send(SIGKILL)
            member.process.wait()
        }
        members = []
    }

    private func failure(_ what: String, _ member: Member) -> ChildProcess.Failure {
        ChildProcess.Failure(
            description: "\(what); its last words:\n    \(member.launch.lastWords)"
        )
    }
}
