import Glibc
import Staging

/// The daemons of a run as real processes: starts them, does to them what faults ask for, and notices
/// when one ends that should not have.
///
/// What becomes of each is ``DaemonSlot``'s decision; this is its shell.
final class DaemonFleet {
    /// A process that was killed or frozen, and when by the clock of the world.
    struct Loss {
        let kind: FaultKind
        let process: pid_t
        let time: Double
    }

    private struct Member {
        var slot = DaemonSlot()
        var process: ChildProcess?
        let launch: DaemonLaunch
    }

    /// Everything killed or frozen so far, for the times of rescue.
    private(set) var losses: [Loss] = []
    /// How many processes were started.
    private(set) var starts = 0

    private var members: [Member] = []

    /// Writes a configuration for each of `count` daemons under `directory`; starts none.
    init(
        _ count: Int,
        program: String,
        settings: String,
        directory: String,
        environment: [String: String]
    ) throws {
        for place in 0..<count {
            let launch = try DaemonLaunch(
                program: program,
                name: "daemon-\(place)",
                settings: settings,
                directory: directory,
                environment: environment
            )
            members.append(Member(launch: launch))
        }
    }

    /// Starts and resumes whoever's time has come; returns what went wrong on its own.
    func tick(at now: Double) throws -> [Violation] {
        var complaints: [Violation] = []
        for place in members.indices {
            let status = members[place].process?.poll()
            if status != nil { forget(place) }
            switch members[place].slot.tick(at: now, exited: status) {
            case .none: break
            case .start: try start(place)
            case .resume: members[place].process?.send(SIGCONT)
            case .giveUp:
                complaints.append(
                    complaint("a daemon did not end when it was asked to", place, "killed")
                )
                end(place)
                members[place].slot.killed(at: now, pause: 1)
            case .complain(let status):
                complaints.append(
                    complaint("a daemon ended by itself or badly", place, "status \(status)")
                )
            }
        }
        return complaints
    }

    /// Kills a daemon outright; false when none runs.
    func kill(_ target: Int, at now: Double, pause: Double) -> Bool {
        guard let place = running(from: target) else { return false }
        note(.kill, place)
        end(place)
        members[place].slot.killed(at: now, pause: pause)
        return true
    }

    /// Stops a daemon for `seconds` as if its machine slept; false when none runs.
    func freeze(_ target: Int, at now: Double, seconds: Double) -> Bool {
        guard let place = running(from: target) else { return false }
        note(.freeze, place)
        members[place].process?.send(SIGSTOP)
        members[place].slot.frozen(until: now + seconds)
        return true
    }

    /// Asks a daemon to stop; false when none runs.
    func drain(_ target: Int, at now: Double, pause: Double) -> Bool {
        guard let place = running(from: target) else { return false }
        members[place].process?.send(SIGTERM)
        members[place].slot.drained(at: now, pause: pause)
        return true
    }

    /// How many are running and neither frozen nor draining.
    var runningCount: Int { members.count { $0.slot.isRunning } }

    /// Asks all to stop and waits; returns which did not, or not with status 0.
    func farewell() -> [Violation] {
        for member in members {
            member.process?.send(SIGTERM)
            member.process?.send(SIGCONT)
        }
        var complaints: [Violation] = []
        for place in members.indices {
            guard let process = members[place].process else { continue }
            let status = process.wait(seconds: DaemonSlot.drainLimit)
            if status != 0 {
                let what = status.map { "status \($0)" } ?? "still running"
                complaints.append(complaint("a daemon did not end well at last", place, what))
            }
            if status != nil { forget(place) }
        }
        return complaints
    }

    /// Kills whatever runs.
    func killAll() {
        for place in members.indices { end(place) }
    }

    // MARK: - Parts

    private func start(_ place: Int) throws {
        members[place].process = try members[place].launch.start()
        members[place].slot.started()
        starts += 1
    }

    private func end(_ place: Int) {
        members[place].process?.send(SIGKILL)
        members[place].process?.wait()
        forget(place)
    }

    private func forget(_ place: Int) { members[place].process = nil }

    /// The first daemon that runs, from a place onwards and round.
    private func running(from target: Int) -> Int? {
        (0..<members.count).map { (target + $0) % members.count }
            .first { members[$0].slot.isRunning && members[$0].process?.poll() == nil }
    }

    private func note(_ kind: FaultKind, _ place: Int) {
        guard let process = members[place].process else { return }
        losses.append(Loss(kind: kind, process: process.id, time: WallClock.seconds))
    }

    private func complaint(_ rule: String, _ place: Int, _ what: String) -> Violation {
        return Violation(
            invariant: "process",
            rule: rule,
            evidence: "daemon \(place): \(what); its last words:\n    "
                + members[place].launch.lastWords
        )
    }
}
