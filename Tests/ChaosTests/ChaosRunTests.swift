import Chaos
import Foundation
import Glibc
import Testing

/// Real daemons and a real server under faults. Longer runs are for `rewardbench chaos`.
@Suite("A run of chaos", .serialized)
struct ChaosRunTests {
    @Test("the queue keeps its promises through every kind of fault")
    func fixed() throws {
        var plan = ChaosPlan(seconds: 20, daemons: 3, seed: 4)
        plan.roundSeconds = 4
        plan.jobsPerSecond = 4
        var notes = 0
        let program = try FaultBench.products() + "/rewardd"
        let report = try ChaosRun.play(plan, daemonProgram: program) { _ in notes += 1 }
        #expect(report.hasHeld, "\(report.text)")
        #expect(report.rounds == FaultPlan.cycle)
        #expect(report.audits == FaultPlan.cycle + 1)
        #expect(report.faults.count >= 10, "\(report.faults)")
        #expect(report.jobs > 5)
        #expect(report.judgements > 20)
        #expect(report.answers ?? 0 >= report.judgements)
        #expect(notes > 10)
        #expect(report.summary.hasSuffix(": I1-I7 held"))
        #expect(report.json.hasPrefix(#"{"seed":4,"held":true,"#))
    }

    @Test("and so it does under a seed that nobody has tried before, with others killing too")
    func random() throws {
        let seed = UInt64.random(in: 1...UInt64(Int32.max))
        print("chaos: seed \(seed)")
        var plan = ChaosPlan(seconds: 12, daemons: 2, seed: seed)
        plan.roundSeconds = 4
        plan.jobsPerSecond = 4
        // Of its own, so that the outsider knows whose daemons and server it may touch.
        let directory = "/tmp/rewardd-outsider-\(getpid())-\(seed)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        plan.keptDirectory = directory
        let program = try FaultBench.products() + "/rewardd"
        let outsider = Outsider(directory)
        let report = try ChaosRun.play(plan, daemonProgram: program) { outsider.look($0.done) }
        #expect(report.hasHeld, "\(report.text)")
        // One of the two may have fallen into a fault of the run that did the same.
        #expect(report.outside.values.reduce(0, +) >= 1, "\(report.text)")
    }

    @Test("Ctrl-C ends it early and leaves nothing behind")
    func interrupted() throws {
        let process = Process()
        process.executableURL = URL(filePath: try FaultBench.products() + "/rewardbench")
        process.arguments = ["chaos", "--minutes", "5", "--daemons", "2"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let directory = "rewardd-bench-\(process.processIdentifier)-"
        func traces() -> [String] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? []
            return names.filter { $0.hasPrefix(directory) }
        }
        func daemonHasLogged() -> Bool {
            traces().contains {
                let log = try? String(contentsOfFile: "/tmp/\($0)/daemon-0.log", encoding: .utf8)
                return log?.contains("registered") == true
            }
        }
        let deadline = ContinuousClock.now + .seconds(60)
        while !daemonHasLogged(), ContinuousClock.now < deadline { usleep(50_000) }
        #expect(daemonHasLogged())
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        #expect(process.terminationStatus == 130)
        #expect(traces() == [])
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        #expect(text.hasSuffix(": interrupted\n"))
        #expect(!commandLines().contains { $0.contains(directory) })
    }

    /// The command lines of all processes.
    private func commandLines() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { Int($0) != nil }.compactMap { name in
            FileManager.default.contents(atPath: "/proc/\(name)/cmdline").map {
                String(decoding: $0, as: UTF8.self)
            }
        }
    }
}

/// Somebody else who kills a daemon and stops the server of a run in this process.
private final class Outsider {
    private let directory: String
    private var hasKilled = false
    private var hasStopped = false

    /// - Parameter directory: That of the run.
    init(_ directory: String) { self.directory = directory }

    /// Does it when its time has come and it finds whom it seeks.
    func look(_ seconds: Int) {
        if seconds >= 3, !hasKilled, let daemon = process(named: "rewardd") {
            hasKilled = kill(daemon, SIGKILL) == 0
        }
        if seconds >= 6, !hasStopped, let server = process(named: "postgres") {
            // An immediate stop.
            hasStopped = kill(server, SIGQUIT) == 0
        }
    }

    /// The first process of that name whose arguments name the run's directory.
    private func process(named name: String) -> pid_t? {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for number in numbers.compactMap({ pid_t($0) }).sorted() {
            let arguments = try? Data(contentsOf: URL(filePath: "/proc/\(number)/cmdline"))
            let words = String(decoding: arguments ?? Data(), as: UTF8.self).split(separator: "\0")
            if words.first?.hasSuffix("/" + name) == true,
                words.contains(where: { $0.hasPrefix(directory + "/") })
            {
                return number
            }
        }
        return nil
    }
}
