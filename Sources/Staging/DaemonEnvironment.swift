import FoundationEssentials

/// The variables that processes of a run start with.
package enum DaemonEnvironment {
    /// Those of this process, without what would lead a daemon or a client elsewhere.
    package static var clean: [String: String] {
        ProcessInfo.processInfo.environment.filter { name, _ in
            !name.hasPrefix("REWARDD_") && !name.hasPrefix("PG") && name != "DATABASE_URL"
                && name != "NOTIFY_SOCKET"
        }
    }

    /// The path of the `rewardd` beside this program; nil when there is none.
    package static func daemonProgram() throws -> (path: String, exists: Bool) {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let directory = own.prefix(through: own.lastIndex(of: "/") ?? own.startIndex)
        let path = directory + "rewardd"
        return (String(path), FileManager.default.isExecutableFile(atPath: String(path)))
    }
}
