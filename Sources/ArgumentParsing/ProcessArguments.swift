import FoundationEssentials
import Glibc

/// The command line of this process: the shell around `ArgumentParser`.
package enum ProcessArguments {
    /// Parses the process's own arguments; prints help, version or an error and exits when that is
    /// what they ask for.
    ///
    /// Help and version go to standard output with status 0, errors to standard error with
    /// `usageStatus`.
    package static func parseOrExit(
        _ root: CommandSpec,
        version: String,
        usageStatus: Int32 = ExitCode.usage.rawValue
    ) -> ParsedArguments {
        let parser = ArgumentParser(
            root,
            version: version,
            environment: ProcessInfo.processInfo.environment,
            width: TerminalSize.columns(STDOUT_FILENO) ?? 100
        )
        do throws(ParsingError) {
            switch try parser.parse(Array(CommandLine.arguments.dropFirst())) {
            case .run(let arguments): return arguments
            case .help(let page): write(page, to: STDOUT_FILENO)
            case .version(let line): write(line + "\n", to: STDOUT_FILENO)
            }
            exit(ExitCode.success.rawValue)
        } catch {
            write("\(error)\n", to: STDERR_FILENO)
            exit(usageStatus)
        }
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
