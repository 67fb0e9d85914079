import Glibc

/// The built `rewardctl` as a child process.
///
/// Started by posix_spawn with files for its three streams, so that nothing can fill a pipe and
/// block, and with an environment of its own.
struct RewardctlProcess {
    /// What a run left.
    struct Outcome {
        let status: Int32
        let output: String
        let messages: String

        var lines: [String] { output.split(separator: "\n").map(String.init) }
    }

    let processID: pid_t
    private let outputFile: TemporaryFile
    private let messageFile: TemporaryFile
    private let inputFile: TemporaryFile

    /// The binary beside this test bundle.
    static var binary: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let bytes = buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        let own = String(decoding: bytes, as: UTF8.self)
        return own.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/rewardctl"
    }

    /// Runs the tool to its end.
    static func run(
        _ arguments: [String],
        input: String = "",
        url: String? = nil,
        environment: [String: String] = [:],
        directory: String = "/tmp"
    ) throws -> Outcome {
        try start(
            arguments,
            input: input,
            url: url,
            environment: environment,
            directory: directory
        ).wait()
    }

    /// Starts the tool. `url` becomes DATABASE_URL.
    static func start(
        _ arguments: [String],
        input: String = "",
        url: String? = nil,
        environment: [String: String] = [:],
        directory: String = "/tmp"
    ) throws -> RewardctlProcess {
        let inputFile = try TemporaryFile(input)
        let outputFile = try TemporaryFile("")
        let messageFile = try TemporaryFile("")
        var variables = ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "TZ": "UTC"]
        if let url { variables["DATABASE_URL"] = url }
        variables.merge(environment) { $1 }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, inputFile.path, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputFile.path, O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, messageFile.path, O_WRONLY, 0)
        // env changes the directory and becomes the tool: Glibc's own way is not visible to Swift.
        let line = ["env", "-C", directory, binary] + arguments
        var words = line.map { strdup($0) } + [nil]
        var settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + settings).forEach { free($0) } }
        var processID = pid_t()
        let code = posix_spawn(&processID, "/usr/bin/env", &actions, nil, &words, &settings)
        guard code == 0 else {
            throw TemporaryFile.Failure(
                description: "cannot start \(binary): \(String(cString: strerror(code)))"
            )
        }
        return RewardctlProcess(
            processID: processID,
            outputFile: outputFile,
            messageFile: messageFile,
            inputFile: inputFile
        )
    }

    /// Waits for the end, at most a minute; a signal counts as 128 plus its number, as in a shell.
    func wait() throws -> Outcome {
        var status: Int32 = 0
        var waited = 0
        while waitpid(processID, &status, WNOHANG) == 0 {
            poll(nil, 0, 5)
            waited += 1
            if waited == 12_000 { kill(processID, SIGKILL) }
        }
        let signal = status & 0x7F
        return Outcome(
            status: signal == 0 ? (status >> 8) & 0xFF : 128 + signal,
            output: try outputFile.text(),
            messages: try messageFile.text()
        )
    }

    /// Waits until the output holds `text`, or ten seconds.
    func waitForOutput(_ text: String) throws -> Bool {
        for _ in 0..<1000 {
            if try outputFile.text().contains(text) { return true }
            poll(nil, 0, 10)
        }
        return false
    }
}

/// A file in /tmp that goes with its last reference.
final class TemporaryFile {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let path: String

    init(_ text: String, suffix: String = "") throws {
        var template = Array("/tmp/rewardctl-test-XXXXXX\(suffix)".utf8CString)
        let descriptor = mkstemps(&template, Int32(suffix.utf8.count))
        guard descriptor >= 0 else { throw Failure(description: "mkstemps: errno \(errno)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Failure(description: "\(path): errno \(errno)") }
            bytes = bytes.dropFirst(count)
        }
        close(descriptor)
    }

    deinit {
        unlink(path)
    }

    /// The name without the directory.
    var name: String { String(path.dropFirst("/tmp/".count)) }

    func text() throws -> String {
        guard let file = fopen(path, "r") else {
            throw Failure(description: "\(path): errno \(errno)")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&block, 1, block.count, file)
            if count == 0 { break }
            bytes += block.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
