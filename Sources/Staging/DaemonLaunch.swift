import FoundationEssentials

/// How one daemon of a run is started: its configuration file, its environment and where its log goes.
package struct DaemonLaunch {
    private let program: String
    private let configuration: String
    private let log: String
    private let environment: [String: String]

    /// Writes the configuration `NAME.conf` into a directory, where the log will be `NAME.log`.
    ///
    /// - Parameters:
    ///   - program: The path of `rewardd`.
    ///   - settings: Lines of the configuration file.
    ///   - environment: All the daemon's variables, with the address of its database.
    package init(
        program: String,
        name: String,
        settings: String,
        directory: String,
        environment: [String: String]
    ) throws {
        self.program = program
        self.environment = environment
        configuration = "\(directory)/\(name).conf"
        log = "\(directory)/\(name).log"
        try settings.write(toFile: configuration, atomically: false, encoding: .utf8)
    }

    /// Starts a process, with further variables of its own; a second one may follow when the first has ended.
    package func start(adding variables: [String: String] = [:]) throws -> ChildProcess {
        try ChildProcess(
            program,
            ["run", "--config", configuration],
            environment: environment.merging(variables) { _, own in own },
            output: log
        )
    }

    /// What its processes have logged.
    package var logged: String {
        (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    }

    /// How many bytes its processes have logged.
    package var loggedSize: Int { logged.utf8.count }

    /// What its processes have logged after so many bytes.
    package func logged(after size: Int) -> String {
        String(decoding: logged.utf8.dropFirst(size), as: UTF8.self)
    }

    /// The last five lines of its log.
    package var lastWords: String {
        logged.split(separator: "\n").suffix(5).joined(separator: "\n    ")
    }
}
