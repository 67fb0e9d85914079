import Foundation

/// The built `rewardbench` as a child process, its output in files so that no pipe can fill.
enum RewardbenchProcess {
    /// What a run left.
    struct Outcome {
        let status: Int32
        let output: String
        let messages: String
    }

    /// Runs the binary beside this test bundle to its end, in an empty directory of its own.
    static func run(_ arguments: [String], in directory: ScratchDirectory) throws -> Outcome {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(filePath: own).deletingLastPathComponent()
            .appending(path: "rewardbench")
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: directory.path)
        process.environment = ["PATH": "/usr/bin:/bin"]
        let output = try directory.file("output")
        let messages = try directory.file("messages")
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: messages)
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus,
            output: try String(contentsOf: output, encoding: .utf8),
            messages: try String(contentsOf: messages, encoding: .utf8)
        )
    }
}

/// An empty directory that is removed with its last reference.
final class ScratchDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/rewardbench-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// An empty file.
    func file(_ name: String) throws -> URL {
        let url = URL(filePath: "\(path)/\(name)")
        try Data().write(to: url)
        return url
    }

    /// The text of a file.
    func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
    }

    /// The names in a folder, sorted.
    func names(_ folder: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)").sorted()
    }
}

/// `Tests/Goldens/llava_ov/hf-bf16`: a tiny checkpoint with random weights.
let goldenCheckpoint =
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
    + "/Goldens/llava_ov/hf-bf16"
