import FoundationEssentials
import Glibc

/// What runs left that were killed outright, before they could clean up: their directories carry the number
/// of a process that is no more.
package enum StaleRuns {
    /// Every temporary directory of a run starts so, and with the number of its process.
    package static let prefix = "/tmp/rewardd-bench-"

    /// The beginning of this process's directories.
    package static var ownPrefix: String { "\(prefix)\(getpid())-" }

    /// Ends the servers and daemons of dead runs and removes their directories.
    package static func clear() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? []
        for name in names {
            let path = "/tmp/\(name)"
            guard path.hasPrefix(prefix),
                let process = pid_t(path.dropFirst(prefix.count).prefix { $0.isNumber }),
                kill(process, 0) != 0, errno == ESRCH
            else { continue }
            end(path)
            RunDirectory.remove(path)
        }
    }

    /// Kills the server and the daemons that have a directory in their command line (the server its data or
    /// its socket, a daemon its configuration) or in the address of their database.
    private static func end(_ directory: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for name in names {
            guard let process = pid_t(name) else { continue }
            let line = text("/proc/\(name)/cmdline")
            guard line.contains("postgres") || line.contains("rewardd"),
                line.contains(directory)
                    || text("/proc/\(name)/environ").contains("?host=\(directory)&")
            else { continue }
            // SIGQUIT is a server's immediate stop, which takes its children along.
            kill(process, SIGQUIT)
            usleep(200_000)
            kill(process, SIGKILL)
        }
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
