import ArgumentParsing
import Dispatch
import Foundation
import Glibc
import Logging
import Migrations
import RewardDaemon
import TensorKernels

/// The daemon's entry point: reads the command line, then hands over to `Daemon`.
@main
enum Rewardd {
    /// Not `async`: an asynchronous main ends in `dispatch_main`, whose thread waits with every signal
    /// open, so that SIGTERM would end the process before the signal thread sees it (measured: it did).
    static func main() {
        SignalThread.block()
        if let refusal = ProcessorSupport.refusal() {
            leave(.configuration, "rewardd: \(refusal)")
        }
        let arguments = parse(Array(CommandLine.arguments.dropFirst()))
        if arguments.command.first == "prompts" { exit(PromptsCommand.run(arguments).rawValue) }
        do throws(ConfigurationError) {
            let configuration = try configuration(arguments)
            switch arguments.command.first {
            case "check-config": check(configuration)
            default:
                Task.detached { await run(configuration) }
                // The task leaves through `exit`; detached, because the main thread is blocked here.
                DispatchSemaphore(value: 0).wait()
            }
        } catch {
            leave(.configuration, "Error: \(error)")
        }
    }

    private static func run(_ configuration: DaemonConfiguration) async {
        let logger = Logger(level: configuration.logLevel)
        let daemon = Daemon(
            configuration: configuration,
            understoodSchema: MigrationCatalog.oldestUnderstood...MigrationCatalog.latest,
            logger: logger
        )
        do {
            try await daemon.run(signals: SignalThread.signals())
            exit(DaemonExitCode.stopped.rawValue)
        } catch {
            logger.error("cannot start", ["error": .string("\(error)")])
            exit((error as? DaemonStartError)?.exitCode.rawValue ?? DaemonExitCode.bug.rawValue)
        }
    }

    /// Prints every setting with its origin, then every reason why the daemon could not work.
    private static func check(_ configuration: DaemonConfiguration) {
        for origin in configuration.origins {
            print("\(origin.key.rawValue) = \(origin.value)  # \(origin.origin)")
        }
        let problems = ConfigurationCheck.problems(of: configuration)
        for warning in ConfigurationCheck.warnings() { complain("Warning: \(warning)") }
        for problem in problems { complain("Error: \(problem)") }
        if problems.isEmpty { print("configuration is usable") }
        exit(
            problems.isEmpty
                ? DaemonExitCode.stopped.rawValue : DaemonExitCode.configuration.rawValue
        )
    }

    private static func parse(_ words: [String]) -> ParsedArguments {
        // `rewardd --check-config` is the spelling that deploy scripts know; the parser sees a command.
        var words = words
        if let index = words.firstIndex(of: "--check-config") {
            words.remove(at: index)
            if words.first == "run" { words.removeFirst() }
            words.insert("check-config", at: 0)
        }
        let parser = ArgumentParser(
            CommandLineSpec.rewardd,
            version: Daemon.versionText,
            width: TerminalSize.columns(STDOUT_FILENO) ?? 100
        )
        do throws(ParsingError) {
            switch try parser.parse(words) {
            case .run(let arguments): return arguments
            case .help(let text): print(text, terminator: "")
            case .version(let text): print(text)
            }
            exit(DaemonExitCode.stopped.rawValue)
        } catch {
            leave(.usage, "\(error)")
        }
    }

    private static func configuration(
        _ arguments: ParsedArguments
    ) throws(ConfigurationError) -> DaemonConfiguration {
        let environment = ProcessInfo.processInfo.environment
        var options = ConfigurationSource()
        for key in ConfigurationKey.allCases {
            guard let text = arguments.text(key.option) else { continue }
            options.values[key] = .init(text: text, origin: "--\(key.option)")
        }
        try ConfigurationCheck.refusePassword(options.values[.databaseURL])
        var layers = [options, try ConfigurationSource.environment(environment)]
        if let path = arguments.text("config") ?? environment["REWARDD_CONFIG"] {
            layers.append(try ConfigurationSource.file(path))
        }
        return try DaemonConfiguration(
            layers: layers,
            environment: environment,
            processorCount: ProcessorSupport.allowedCount,
            memoryBytes: Int(clamping: ProcessInfo.processInfo.physicalMemory)
        )
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    private static func leave(_ code: DaemonExitCode, _ text: String) -> Never {
        complain(text)
        exit(code.rawValue)
    }
}
