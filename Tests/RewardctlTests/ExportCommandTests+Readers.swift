import Foundation
import Testing

/// Exports as the readers of real trainers see them: Hugging Face `datasets`, and TRL with a processor of the
/// tiny models among the goldens. REWARDD_PYTHON names an interpreter that has `datasets`, `trl`, `torchvision`
/// and `pillow`; what it lacks is not tried.
extension ExportCommandTests {
    @Test(
        "the reader of Hugging Face datasets opens every format",
        .enabled(if: Python.has("datasets"))
    )
    func datasetsReader() throws {
        let question = try understandingJob(question: "What?")
        let script = """
            import sys, datasets
            rows = datasets.load_dataset('json', data_files=sys.argv[1], split='train',
                cache_dir=sys.argv[2])
            print(len(rows), end='')
            """
        for (format, file) in [
            ("trl", "train.jsonl"), ("llamafactory", "data.json"), ("llava-dpo", "dpo_data.json"),
            ("jsonl", "pairs.jsonl"),
        ] {
            _ = try exported(question, format, file: file, lines: file.hasSuffix("l"))
            let path = output.appending(path: file).path
            let cache = directory.appending(path: "cache").path
            #expect(try Python.run(["-c", script, path, cache]) == "2", "\(format)")
        }
    }

    @Test(
        "the trainer of TRL collates rows with their pictures, and learns from the answers alone",
        .enabled(if: Python.has("trl", "torchvision"))
    )
    func trlReader() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let picture = tests.appending(path: "Goldens/media/square_96x96.png").path
        let job = try understandingJob(question: "What is it?", picture: picture)
        _ = try exported(job, "trl", file: "train.jsonl", lines: true)
        for family in ["qwen2_5_vl", "qwen3_vl"] {
            let answers = try Python.run([
                tests.appending(path: "RewardctlTests/read_trl.py").path, output.path,
                tests.appending(path: "Goldens/\(family)/hf-bf16").path,
            ])
            #expect(answers == "A dog.\nA dog.\nA cat.\nA cat.\n", "\(family)")
        }
    }
}

/// The interpreter for readers of exports.
private enum Python {
    private static let path =
        ProcessInfo.processInfo.environment["REWARDD_PYTHON"] ?? "/usr/bin/python3"

    /// Whether it is there and has all of the modules.
    static func has(_ modules: String...) -> Bool {
        guard FileManager.default.isExecutableFile(atPath: path) else { return false }
        let names = modules.map { "'\($0)'" }.joined(separator: ", ")
        let script = "import importlib.util as u; print(all(map(u.find_spec, [\(names)])))"
        return (try? run(["-c", script])) == "True\n"
    }

    /// What it prints.
    static func run(_ arguments: [String]) throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["HF_HUB_OFFLINE": "1"]) {
            _,
            own in own
        }
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: bytes, as: UTF8.self)
    }
}
