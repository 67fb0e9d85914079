import Glibc

/// Runs `private-cluster`, the script beside this file.
package enum ClusterScript {
    /// The script did not do what was asked; its own words are on standard error.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Where the script is.
    package static let path: String = {
        let file = #filePath
        return String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)]) + "/private-cluster"
    }()

    /// Runs one command of the script and returns what it printed, without the newline.
    @discardableResult
    package static func run(_ arguments: String...) throws -> String {
        var pipes: [Int32] = [-1, -1]
        guard pipe(&pipes) == 0 else { throw Failure(description: "pipe: \(errorText)") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO)
        posix_spawn_file_actions_addclose(&actions, pipes[0])
        posix_spawn_file_actions_addclose(&actions, pipes[1])
        // A thread may have all signals blocked; the server it starts must not inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var pointers = ([path] + arguments).map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        var process = pid_t()
        let status = posix_spawn(&process, path, &actions, &attributes, pointers, environ)
        close(pipes[1])
        defer { close(pipes[0]) }
        guard status == 0 else {
            throw Failure(description: "\(path): \(String(cString: strerror(status)))")
        }

        let output = readAll(pipes[0])
        var exit: Int32 = 0
        while waitpid(process, &exit, 0) < 0 && errno == EINTR {}
        guard exit == 0 else {
            throw Failure(
                description: "private-cluster \(arguments.joined(separator: " ")): status \(exit)"
            )
        }
        return output.last == "\n" ? String(output.dropLast()) : output
    }

    private static var errorText: String { String(cString: strerror(errno)) }

    private static func readAll(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }
}
