import FoundationEssentials
import Staging

/// Runs PostgreSQL's own load generator with a script.
struct Pgbench {
    private let program: String
    private let host: String
    private let directory: String
    private let environment: [String: String]

    /// - Throws: `ChildProcess.Failure` where the server came without it.
    init(_ stage: BenchmarkStage) throws {
        program = stage.cluster.programs + "/pgbench"
        host = stage.cluster.host
        directory = stage.directory
        environment = stage.environment
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw ChildProcess.Failure(
                description: "\(program): expected pgbench beside the server, found none. "
                    + "Run: apt-get install postgresql"
            )
        }
    }

    /// Transactions a second of `clients` that repeat a script with prepared statements.
    func rate(
        _ script: String,
        login: String,
        database: String,
        clients: Int,
        seconds: Int
    ) throws -> Double {
        let file = directory + "/script.sql"
        let output = directory + "/pgbench.log"
        try script.write(toFile: file, atomically: false, encoding: .utf8)
        try? FileManager.default.removeItem(atPath: output)
        try ChildProcess.run(
            program,
            [
                "--host=\(host)", "--username=\(login)", "--no-vacuum", "--protocol=prepared",
                "--client=\(clients)", "--jobs=\(min(clients, 2))", "--time=\(seconds)",
                "--file=\(file)", database,
            ],
            environment: environment,
            output: output
        )
        let text = try String(contentsOfFile: output, encoding: .utf8)
        guard let rate = Self.rate(in: text), !text.contains("aborted") else {
            throw ChildProcess.Failure(
                description: "pgbench: expected a line with tps, got \(text.suffix(500))"
            )
        }
        return rate
    }

    /// The number in the line `tps = 123.4 (without initial connection time)`.
    static func rate(in text: String) -> Double? {
        for line in text.split(separator: "\n") where line.hasPrefix("tps = ") {
            return Double(line.dropFirst(6).prefix { $0 != " " })
        }
        return nil
    }
}
