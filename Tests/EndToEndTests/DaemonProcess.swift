import Foundation
import Glibc

/// A real `rewardd` process, as an operator would start it, with its log in a file.
final class DaemonProcess {
    let process = Process()
    let logPath: String
    private let directory: URL

    /// The folder of built products: the test bundle lies beside the executables.
    static let products: URL = {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }
        let path = bundle ?? Bundle.main.bundlePath
        var url = URL(filePath: path).resolvingSymlinksInPath()
        while url.path != "/",
            !FileManager.default.isExecutableFile(atPath: url.appending(path: "rewardd").path)
        {
            url.deleteLastPathComponent()
        }
        return url
    }()

    /// Starts `rewardd run` with the tiny golden model; `settings` are lines of its configuration.
    init(
        database: String,
        mediaRoot: String,
        settings: String = "",
        environment: [String: String] = [:]
    )
        throws
    {
        directory = FileManager.default.temporaryDirectory
            .appending(path: "rewardd-e2e-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let configuration = directory.appending(path: "rewardd.conf")
        let text = """
            model.tiny = \(Repository.tinyCheckpoint)
            media.roots = \(mediaRoot)
            threads = 1
            \(settings)
            """
        try text.write(to: configuration, atomically: true, encoding: .utf8)
        logPath = directory.appending(path: "log").path
        try Data().write(to: URL(filePath: logPath))
        process.executableURL = Self.products.appending(path: "rewardd")
        process.arguments = ["run", "--config", configuration.path]
        var variables = ProcessInfo.processInfo.environment
        variables["DATABASE_URL"] = database
        variables["REWARDD_TEST_CLUSTER"] = nil
        for (name, value) in environment { variables[name] = value }
        process.environment = variables
        process.standardError = try FileHandle(forWritingTo: URL(filePath: logPath))
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: directory)
    }

    /// Everything logged so far.
    var log: String {
        (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""
    }

    /// Sends a signal.
    func signal(_ number: Int32) {
        kill(process.processIdentifier, number)
    }

    /// Waits for the end and returns the exit status (negative: ended by that signal).
    func wait() -> Int32 {
        process.waitUntilExit()
        let status = process.terminationStatus
        return process.terminationReason == .uncaughtSignal ? -status : status
    }
}

/// Places in the repository that the tests read.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let tinyCheckpoint = root.appending(path: "Tests/Goldens/llava_ov/hf-bf16").path
    static let pictures = root.appending(path: "Tests/Pictures").path
}
