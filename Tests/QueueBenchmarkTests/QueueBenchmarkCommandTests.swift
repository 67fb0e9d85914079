import Foundation
import JSONReading
import Testing

/// The command itself, on a server and daemons of its own, small enough for every run of the tests. What it
/// measures here is no figure: the tests ask what is reported and how it ends.
@Suite("rewardbench queue", .serialized)
struct QueueBenchmarkCommandTests {
    /// Runs `rewardbench queue`, which lies beside the test's executable.
    private static func run(
        _ arguments: [String]
    ) throws -> (status: Int32, output: String, messages: String) {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(filePath: own).deletingLastPathComponent()
            .appending(path: "rewardbench")
        process.arguments = ["queue"] + arguments
        let output = Pipe()
        let messages = FileManager.default.temporaryDirectory
            .appending(path: "queue-messages-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: messages.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: messages) }
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: messages)
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus,
            String(decoding: text, as: UTF8.self),
            try String(contentsOf: messages, encoding: .utf8)
        )
    }

    private static let small = [
        "--rows", "100", "--seconds", "1", "--repeats", "1", "--samples", "10",
    ]

    @Test("measures every part on a server of its own and leaves nothing behind")
    func everything() throws {
        let run = try Self.run(Self.small + ["--no-disk", "--no-goals", "--json"])
        #expect(run.status == 0, "\(run.messages)")
        let document = try #require(JSONReader.read(run.output), "\(run.output)")
        #expect(document["waits_for_disk"] == .bool(false))
        #expect(document["rows"]?.integer == 100)
        guard case .array(let measurements) = document["measurements"] else {
            Issue.record("no measurements: \(run.output)")
            return
        }
        #expect(
            measurements.compactMap { $0["name"]?.text } == [
                "enqueue.one.1", "enqueue.one.4", "enqueue.bulk",
                "checkpoint.build_pairs.1", "checkpoint.point_score.1",
                "checkpoint.build_pairs.4", "checkpoint.point_score.4",
                "start.p50", "start.p99", "start.judgement.p50", "start.judgement.p99",
                "claim.empty.p50", "claim.empty.p99", "claim.ready.tenth.p50",
                "claim.ready.tenth.p99", "claim.held.p50", "claim.held.p99", "claim.ready.p50",
                "claim.ready.p99", "claim.scheduled.p50", "claim.scheduled.p99", "claim.done.p50",
                "claim.done.p99", "rescue",
            ]
        )
        for measurement in measurements {
            let name = measurement["name"]?.text ?? ""
            #expect(measurement["median"]?.double ?? 0 > 0, "\(name)")
            #expect((measurement["raw_median"]?.double == nil) == (name == "rescue"), "\(name)")
            #expect((measurement["goal"] == .null) == (measurement["verdict"] == .null), "\(name)")
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: "/tmp")
            .filter { $0.hasPrefix("rewardd-bench-") }
            .filter { kill(pid_t($0.split(separator: "-")[2]) ?? 0, 0) != 0 }
        #expect(left == [])
    }

    @Test("a missed goal is an exit status")
    func goals() throws {
        // Whether the machine reaches them is not this test's affair.
        let run = try Self.run(Self.small + ["--no-disk", "--only", "start"])
        #expect(run.output.contains("enqueue to start, idle daemon, p50"), "\(run.messages)")
        #expect(run.status == (run.output.hasSuffix(": every goal met\n") ? 0 : 1))
    }

    @Test("an unknown part is refused before anything is started")
    func refusal() throws {
        let run = try Self.run(["--only", "enqueue,speed"])
        #expect(run.status == 2)
        #expect(run.messages.contains("expected parts among enqueue, checkpoint"))
        #expect(run.messages.contains("got 'speed'"))
        #expect(try Self.run(["--rows", "1"]).status == 2)
    }
}
