import FailPoints
import Glibc
import Staging

/// The daemons of a run as real processes, each behind a ``FaultProxy``: starts them, does to them what faults
/// ask for, and notices when one ends that should not have.
///
/// What becomes of each is ``DaemonSlot``'s decision; this is its shell.
final class DaemonFleet {
    /// A process that was killed or frozen, and when by the clock of the world.
    struct Loss {
        let kind: FaultKind
        let process: pid_t
        let time: Double
        /// By the clock of the run.
        let moment: Double
        /// Whether the server could see the death at once, and some daemon was able to notice it all the time
        /// from then on. Only then does the time until it was noticed say anything.
        var isFair: Bool
    }

    private struct Member {
        var slot = DaemonSlot()
        var process: ChildProcess?
        /// When the process was started.
        var startedAt = ContinuousClock.now
        /// How much its place had logged by then.
        var loggedBefore = 0
        /// From when on it is expected to notice the death of another, as long as it runs.
        var isAbleFrom = 0.0
        /// For the next process.
        var nextTrap: DaemonSlot.Trap?
        /// Until when nothing gets through.
        var silentUntil: Double?
        let proxy: FaultProxy
        let launch: DaemonLaunch
    }

    /// Everything killed or frozen so far, for the times of rescue.
    private(set) var losses: [Loss] = []
    /// After its start, or after its connection to the server was disturbed, the seconds that a daemon may take
    /// until it looks for dead ones: it waits four after a reconnect.
    private static let returnSeconds = 6.0
    /// For how long a loss must be seen by somebody to count.
    private static let noticeSeconds = 6.0

    /// For how long a process may be on its way to minding signals.
    private static let startSeconds = Duration.seconds(5)

    /// How many processes were started.
    private(set) var starts = 0
    /// How often each fail point was sprung.
    private(set) var sprung: [FailPoint: Int] = [:]
    /// What somebody else did to daemons, and has not been asked for since.
    private var outside: [FaultKind] = []

    private var members: [Member] = []

    /// Opens a proxy and writes a configuration for each of `count` daemons under `directory`; starts none.
    ///
    /// - Parameters:
    ///   - server: The path of the server's socket.
    ///   - url: The address of the database for a directory of sockets.
    init(
        _ count: Int,
        program: String,
        settings: String,
        directory: String,
        environment: [String: String],
        server: String,
        url: (String) -> String
    ) throws {
        do {
            for place in 0..<count {
                // Short, because the path of a Unix socket holds 107 bytes.
                let sockets = try RunDirectory.make(prefix: StaleRuns.ownPrefix + "proxy-")
                var environment = environment
                environment["DATABASE_URL"] = url(sockets)
                let launch = try DaemonLaunch(
                    program: program,
                    name: "daemon-\(place)",
                    settings: settings,
                    directory: directory,
                    environment: environment
                )
                let proxy = try FaultProxy(to: server, directory: sockets)
                members.append(Member(proxy: proxy, launch: launch))
            }
        } catch {
            clear()
            throw error
        }
    }

    /// Answers that proxies have lost.
    var lostReplies: Int { members.reduce(0) { $0 + $1.proxy.cuts } }

    /// Starts, resumes and reconnects whoever's time has come; returns what went wrong on its own.
    func tick(at now: Double) throws -> [Violation] {
        var complaints: [Violation] = []
        for place in members.indices {
            if let until = members[place].silentUntil, now >= until {
                members[place].silentUntil = nil
                members[place].isAbleFrom = now + Self.returnSeconds
                members[place].proxy.heal()
            }
            let status = members[place].process?.poll()
            let isStopped = members[place].process?.isStopped == true
            if isStopped { members[place].isAbleFrom = now + Self.returnSeconds }
            let action = members[place].slot.tick(
                at: now,
                exited: status,
                isStopped: isStopped,
                wasAsked: status == 0 && wasAsked(place)
            )
            if case .outside(let kind) = action { noteOutside(kind, place, at: now) }
            if status != nil { forget(place) }
            switch action {
            case .none, .outside: break
            case .start:
                members[place].isAbleFrom = now + Self.returnSeconds
                try start(place)
            case .resume:
                members[place].isAbleFrom = now + Self.returnSeconds
                members[place].process?.send(SIGCONT)
            case .sprung(let trap): sprung[trap.point, default: 0] += 1
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
        judgeFairness(at: now)
        return complaints
    }

    /// Whether the process that has ended said that it was asked to stop.
    private func wasAsked(_ place: Int) -> Bool {
        let member = members[place]
        return member.launch.logged(after: member.loggedBefore).contains(#"msg="draining""#)
    }

    /// What somebody else than the run did to daemons since the last call.
    func takeOutside() -> [FaultKind] {
        defer { outside = [] }
        return outside
    }

    private func noteOutside(_ kind: FaultKind, _ place: Int, at now: Double) {
        outside.append(kind)
        if kind != .drain { note(kind, place, at: now) }
    }

    /// The server was away, or has ended connections of the daemons.
    func wasDisturbed(at now: Double) {
        for place in members.indices { members[place].isAbleFrom = now + Self.returnSeconds }
    }

    private func judgeFairness(at now: Double) {
        // When the answers will be lost nobody knows.
        for place in members.indices where members[place].proxy.isArmed {
            members[place].isAbleFrom = now + Self.returnSeconds
        }
        let somebodyLooks = members.contains {
            $0.slot.isRunning && $0.silentUntil == nil && now >= $0.isAbleFrom
        }
        guard !somebodyLooks else { return }
        for place in losses.indices where now - losses[place].moment < Self.noticeSeconds {
            losses[place].isFair = false
        }
    }

    /// Gives the first process in a place a trap.
    func arm(_ place: Int, _ trap: DaemonSlot.Trap) { members[place].nextTrap = trap }

    /// The process number of a daemon that runs.
    func processID(_ place: Int) -> pid_t? { members[place].process?.id }

    /// What a daemon has logged.
    func log(_ place: Int) -> String { members[place].launch.logged }

    /// Kills a daemon outright; false when none runs.
    func kill(_ target: Int, at now: Double, pause: Double) -> Bool {
        guard let place = running(from: target) else { return false }
        note(.kill, place, at: now)
        end(place)
        members[place].slot.killed(at: now, pause: pause)
        return true
    }

    /// Stops a daemon for `seconds` as if its machine slept; false when none runs.
    func freeze(_ target: Int, at now: Double, seconds: Double) -> Bool {
        guard let place = running(from: target) else { return false }
        note(.freeze, place, at: now)
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

    /// Asks a daemon to stop, so that the next one in its place has a trap; false when none runs.
    func drain(_ target: Int, at now: Double, pause: Double, trap: DaemonSlot.Trap) -> Bool {
        guard let place = running(from: target) else { return false }
        members[place].nextTrap = trap
        return drain(place, at: now, pause: pause)
    }

    /// Has the answers to a daemon's next statements with this text lost; false when none runs.
    func loseReplies(_ target: Int, after text: String, times: Int) -> Bool {
        guard let place = running(from: target) else { return false }
        members[place].proxy.cut(after: text, times: times)
        return true
    }

    /// Lets nothing through between a daemon and the server; false when none runs, or it is cut off already.
    func silence(_ target: Int, _ way: FaultProxy.Silence, at now: Double, seconds: Double) -> Bool
    {
        guard let place = running(from: target), members[place].silentUntil == nil else {
            return false
        }
        members[place].proxy.silence(way)
        members[place].silentUntil = now + seconds
        return true
    }

    /// How many are running and neither frozen nor draining.
    var runningCount: Int { members.count { $0.slot.isRunning } }

    /// Asks all to stop and waits; returns which did not, or not with status 0.
    ///
    /// One that was started a moment ago may end by the signal itself, before it minds signals; it has no
    /// work yet.
    func farewell() -> [Violation] {
        let isNew = members.map { $0.startedAt.duration(to: .now) < Self.startSeconds }
        for member in members {
            member.proxy.heal()
            member.process?.send(SIGTERM)
            member.process?.send(SIGCONT)
        }
        var complaints: [Violation] = []
        for place in members.indices {
            guard let process = members[place].process else { continue }
            var status = process.wait(seconds: DaemonSlot.drainLimit)
            // A trap may be left that had nothing to catch before.
            if status == nil, process.isStopped {
                process.send(SIGCONT)
                status = process.wait(seconds: DaemonSlot.drainLimit)
            }
            let isTrapped = status == -9 && members[place].slot.trap?.effect == .kill
            if status != 0, !isTrapped, !(isNew[place] && status == -SIGTERM) {
                let what = status.map { "status \($0)" } ?? "still running"
                complaints.append(complaint("a daemon did not end well at last", place, what))
            }
            if status != nil { forget(place) }
        }
        return complaints
    }

    /// Kills whatever runs and takes the proxies away.
    func clear() {
        for place in members.indices {
            end(place)
            members[place].proxy.stop()
            RunDirectory.remove(members[place].proxy.directory)
        }
    }

    // MARK: - Parts

    private func start(_ place: Int) throws {
        let trap = members[place].nextTrap
        members[place].nextTrap = nil
        members[place].process = try members[place].launch.start(
            adding: trap.map { ["REWARDD_FAIL_POINTS": $0.setting] } ?? [:]
        )
        members[place].startedAt = .now
        members[place].loggedBefore = members[place].launch.loggedSize
        members[place].slot.started(trap: trap)
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

    private func note(_ kind: FaultKind, _ place: Int, at now: Double) {
        guard let process = members[place].process else { return }
        losses.append(
            Loss(
                kind: kind,
                process: process.id,
                time: WallClock.seconds,
                moment: now,
                // A proxy that holds back what the daemon says holds back its end too.
                isFair: members[place].silentUntil == nil
            )
        )
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
