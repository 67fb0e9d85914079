package import Glibc
import Threading

/// A child process in a process group of its own, so that Ctrl-C at the terminal does not reach it,
/// with its output appended to a file.
///
/// Whoever starts it ends it: it is neither killed nor waited for when the last reference goes.
package final class ChildProcess {
    /// A program that could not be started, or failed.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        /// A failure with its sentence.
        package init(description: String) { self.description = description }
    }

    /// Its process number.
    package let id: pid_t
    /// The exit status, negative for a signal, once it was seen.
    package private(set) var status: Int32?

    /// Starts a program, found through PATH unless it is a path.
    ///
    /// - Parameters:
    ///   - environment: All its variables.
    ///   - output: The file that takes its standard output and standard error.
    package init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String],
        output: String
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions,
            STDOUT_FILENO,
            output,
            O_WRONLY | O_CREAT | O_APPEND,
            0o644
        )
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A thread may have signals blocked; the child must not inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = SignalMask.allButFaults()
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP)
        )
        var words = ([program] + arguments).map { strdup($0) }
        var variables = environment.map { strdup("\($0.key)=\($0.value)") }
        defer { for pointer in words + variables { free(pointer) } }
        words.append(nil)
        variables.append(nil)
        var child = pid_t()
        let error = posix_spawnp(&child, program, &actions, &attributes, words, variables)
        guard error == 0 else {
            throw Failure(description: "\(program): \(String(cString: strerror(error)))")
        }
        id = child
    }

    /// Whether all its threads are stopped, as by SIGSTOP: state T in `/proc/PID/stat`, whose second field, the
    /// name in brackets, may hold anything.
    package var isStopped: Bool {
        guard status == nil, let file = fopen("/proc/\(id)/stat", "r") else { return false }
        defer { fclose(file) }
        var line = [UInt8](repeating: 0, count: 256)
        let count = fread(&line, 1, line.count, file)
        guard let bracket = line[..<count].lastIndex(of: UInt8(ascii: ")")), bracket + 2 < count
        else { return false }
        return line[bracket + 2] == UInt8(ascii: "T")
    }

    /// Looks whether it has ended; nil while it runs.
    package func poll() -> Int32? { collect(WNOHANG) }

    /// Waits for its end.
    @discardableResult
    package func wait() -> Int32 { collect(0) ?? -1 }

    /// Waits for its end, but not for ever; nil when it still runs.
    package func wait(seconds: Double) -> Int32? {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while poll() == nil, ContinuousClock.now < deadline { usleep(20_000) }
        return poll()
    }

    /// Sends a signal, unless it has ended.
    package func send(_ signal: Int32) {
        if poll() == nil { kill(id, signal) }
    }

    /// Runs a program to its end. Throws when it cannot be started or its status is not 0.
    package static func run(
        _ program: String,
        _ arguments: [String],
        environment: [String: String],
        output: String
    ) throws {
        let child = try ChildProcess(
            program,
            arguments,
            environment: environment,
            output: output
        )
        let status = child.wait()
        guard status == 0 else {
            throw Failure(
                description: "\(program) \(arguments.joined(separator: " ")): status \(status); "
                    + "its output is in \(output)"
            )
        }
    }

    private func collect(_ options: Int32) -> Int32? {
        if let status { return status }
        var word: Int32 = 0
        var result: pid_t
        repeat { result = waitpid(id, &word, options) } while result < 0 && errno == EINTR
        guard result != 0 else { return nil }
        // Of a child that somebody else has waited for, nothing is known but its end.
        let signal = word & 0x7f
        status = result < 0 ? 0 : signal == 0 ? word >> 8 & 0xff : -signal
        return status
    }
}
