import FoundationEssentials
import Glibc
import Testing

@testable import ChildProcesses

@Suite("A limited process")
struct LimitedProcessTests {
    @Test("gets its input, gives its output and status, and is reaped")
    func runs() throws {
        let input = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
        let outcome = try run("/bin/cat", [], input: input, bytes: input.count)
        #expect(outcome.ending == .exited(0))
        #expect(outcome.output == input)
        #expect(outcome.residentBytes > 0)
        #expect(waitpid(outcome.processID, nil, WNOHANG) == -1)
        #expect(try run("/bin/false", []).ending == .exited(1))
    }

    @Test("that hangs is killed at the wall-clock limit")
    func hangs() throws {
        for (path, words) in [
            ("/bin/sleep", ["600"]),
            // Its output ends at once, the process does not.
            ("/bin/bash", ["-c", "exec 1>&- 2>&-; exec sleep 600"]),
        ] {
            let clock = ContinuousClock()
            let start = clock.now
            let outcome = try run(path, words, milliseconds: 200)
            #expect(outcome.ending == .timedOut)
            #expect((.milliseconds(190)...(.seconds(3))).contains(clock.now - start))
            #expect(kill(outcome.processID, 0) == -1)
        }
    }

    @Test("that floods its output is stopped at the limit, and its errors are cut")
    func floods() throws {
        let outcome = try run("/usr/bin/yes", [], bytes: 100_000)
        #expect(outcome.ending == .outputLimit)
        #expect(outcome.output.count == 100_000)
        let exact = try run("/usr/bin/head", ["-c", "5000", "/dev/zero"], bytes: 5000)
        #expect(exact.ending == .exited(0))
        #expect(exact.output.count == 5000)
        let over = try run("/usr/bin/head", ["-c", "5001", "/dev/zero"], bytes: 5000)
        #expect(over.ending == .outputLimit)
        let loud = try run(
            "/bin/bash",
            ["-c", "head() { printf '%0200000d' 7 >&2; }; head; echo done"]
        )
        #expect(loud.errorText.utf8.count == 4096)
        #expect(loud.output == Array("done\n".utf8))
    }

    @Test("that spins is ended by the processor limit")
    func spins() throws {
        let outcome = try run("/bin/bash", ["-c", "while :; do :; done"], processorSeconds: 1)
        #expect(outcome.ending == .signalled(SIGKILL) || outcome.ending == .signalled(SIGXCPU))
        #expect(outcome.processorSeconds > 0.5)
    }

    @Test("has the limits, an empty environment, its own session and three descriptors")
    func environment() throws {
        // As in a daemon that writes to sockets; the child must not inherit it.
        signal(SIGPIPE, SIG_IGN)
        let limits = String(
            decoding: try run("/bin/cat", ["/proc/self/limits"]).output,
            as: UTF8.self
        )
        for (name, value) in [
            ("Max cpu time", "10"), ("Max file size", "0"), ("Max core file size", "0"),
            ("Max open files", "64"), ("Max address space", "\(400 << 20)"),
        ] {
            let line = limits.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
            #expect(line.dropFirst(name.count).split(separator: " ").first == value[...], "\(line)")
        }
        #expect(try run("/usr/bin/env", []).output.isEmpty)

        let stat = String(decoding: try run("/bin/cat", ["/proc/self/stat"]).output, as: UTF8.self)
        let fields = stat.split(separator: " ")
        #expect(fields[0] == fields[4] && fields[0] == fields[5])

        // 0, 1, 2 and the one that lists them.
        let listed = try run("/bin/ls", ["/proc/self/fd"]).output
        #expect(listed == Array("0\n1\n2\n3\n".utf8))

        let status = String(
            decoding: try run("/bin/cat", ["/proc/self/status"]).output,
            as: UTF8.self
        )
        #expect(status.contains("NoNewPrivs:\t1"))
        #expect(status.contains("SigBlk:\t0000000000000000"))
        // Signals 1 to 31; the C library keeps one above them as it was.
        let ignored = status.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }
        let mask = try #require(ignored.flatMap { UInt64($0.dropFirst(8), radix: 16) })
        #expect(mask & 0x7FFF_FFFF == 0)
    }

    @Test(
        "cannot open a socket, start a process, signal another or change a file",
        .enabled(if: LimitedProcess.isFilterAvailable)
    )
    func isFiltered() throws {
        let outcome = try run("/bin/cat", ["/proc/self/status"])
        #expect(outcome.isFiltered)
        #expect(String(decoding: outcome.output, as: UTF8.self).contains("Seccomp:\t2"))

        let file = "/tmp/rewardd-limited-\(UInt64.random(in: 0...UInt64.max))"
        try Data("kept".utf8).write(to: URL(filePath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        for script in [
            "echo > /dev/tcp/127.0.0.1/9", "/bin/true; exit $?", "kill -TERM \(getpid())",
            "echo x > \(file)", "echo x >> \(file)", "exec rm \(file)", "exec mv \(file) \(file)2",
            "exec chmod 777 \(file)", "exec touch \(file)", "exec mkdir \(file)3",
            "exec ln -s / \(file)4", "exec truncate -s 0 \(file)",
        ] {
            let outcome = try run("/bin/bash", ["-c", script])
            #expect(outcome.ending != .exited(0), "\(script)")
            #expect(outcome.errorText.contains("not permitted"), "\(script): \(outcome.errorText)")
        }
        #expect(try Data(contentsOf: URL(filePath: file)) == Data("kept".utf8))
    }

    @Test("reads what else it is given as descriptor 3, and nothing when it is given nothing")
    func extra() throws {
        let extra = try SealedFile(Array("more".utf8))
        let process = LimitedProcess(
            path: "/bin/cat",
            arguments: ["-", "/dev/fd/3"],
            limits: ProcessLimits()
        )
        let input = try SealedFile(Array("some ".utf8))
        #expect(try process.run(input: input, extra: extra).output == Array("some more".utf8))
        #expect(try process.run(input: input).ending == .exited(1))
    }

    @Test(
        "that may use the network can connect and start threads, not listen nor start a process",
        .enabled(if: LimitedProcess.isFilterAvailable)
    )
    func network() throws {
        var limits = ProcessLimits()
        limits.allowsNetwork = true
        func error(_ words: [String]) throws -> String {
            let process = LimitedProcess(
                path: words[0],
                arguments: Array(words.dropFirst()),
                limits: limits
            )
            let outcome = try process.run(input: SealedFile([]))
            #expect(outcome.isFiltered)
            return outcome.errorText
        }
        let connect = "echo > /dev/tcp/127.0.0.1/1"
        #expect(try error(["/bin/bash", "-c", connect]).contains("Connection refused"))
        #expect(try run("/bin/bash", ["-c", connect]).errorText.contains("not permitted"))
        #expect(try error(["/bin/bash", "-c", "/bin/true; exit $?"]).contains("not permitted"))
        let write = "echo x > /tmp/rewardd-no"
        #expect(try error(["/bin/bash", "-c", write]).contains("not permitted"))
        let listen = "socket(S, PF_INET, SOCK_STREAM, 0) or die \"$!\"; listen(S, 1) or die \"$!\""
        let refused = try error(["/usr/bin/perl", "-MSocket", "-e", listen])
        #expect(refused.contains("not permitted"), "\(refused)")
    }

    @Test("ends soon after the task that waits for it is cancelled")
    func cancelled() async throws {
        let limits = ProcessLimits()
        let process = LimitedProcess(path: "/bin/sleep", arguments: ["600"], limits: limits)
        let task = Task { try process.run(input: SealedFile([])) }
        task.cancel()
        let outcome = try await task.value
        #expect(outcome.ending == .cancelled)
        #expect(kill(outcome.processID, 0) == -1)
    }

    @Test("that cannot be started says why, and leaves nothing behind")
    func cannotStart() throws {
        for path in ["/nonexistent/program", "/etc/passwd", "/tmp"] {
            let error = #expect(throws: LimitedProcess.StartError.self) { try run(path, []) }
            #expect(error?.message.contains("execve: ") == true)
        }
    }

    @Test("leaves no descriptor open, whatever its end")
    func leaks() throws {
        // Other suites run meanwhile and hold a few of their own; a leak here would be 150.
        let before = try descriptorCount()
        for _ in 0..<50 {
            _ = try run("/bin/cat", [], input: [1, 2, 3])
            _ = try run("/usr/bin/yes", [], bytes: 10)
            _ = try? run("/nonexistent", [])
        }
        #expect(try descriptorCount() < before + 60)
    }

    private func descriptorCount() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }

    private func run(
        _ path: String,
        _ arguments: [String],
        input: [UInt8] = [],
        bytes: Int = 1 << 16,
        milliseconds: Int = 10_000,
        processorSeconds: Int = 10
    ) throws -> ProcessOutcome {
        var limits = ProcessLimits()
        limits.outputBytes = bytes
        limits.milliseconds = milliseconds
        limits.processorSeconds = processorSeconds
        return try LimitedProcess(path: path, arguments: arguments, limits: limits).run(
            input: SealedFile(input)
        )
    }
}
