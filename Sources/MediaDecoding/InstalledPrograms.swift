import Glibc

/// Decoder programs of the operating system, by name. Only the system's directories are looked at, never
/// the daemon's PATH.
struct InstalledPrograms: Sendable {
    /// Searched in this order.
    static let directories = ["/usr/bin", "/bin", "/usr/local/bin"]

    private let paths: [String: String]

    /// Looks for the programs, now.
    init(_ names: [String], in directories: [String]) {
        paths = names.reduce(into: [:]) { $0[$1] = Self.find($1, in: directories) }
    }

    /// The absolute path of a program. Throws `.decoderMissing` naming the Debian package that has it.
    func path(of program: String, package: String) throws(MediaError) -> String {
        guard let path = paths[program] else {
            throw .decoderMissing("\(program) is not installed. Install the package \(package).")
        }
        return path
    }

    /// Those of the programs that are not there, such as "djpeg (package libjpeg-turbo-progs)".
    static func missing(
        _ programs: [(name: String, package: String)],
        in directories: [String]
    ) -> [String] {
        programs.filter { find($0.name, in: directories) == nil }
            .map { "\($0.name) (package \($0.package))" }
    }

    /// The first regular executable file of this name.
    private static func find(_ program: String, in directories: [String]) -> String? {
        directories.lazy.map { "\($0)/\(program)" }.first { path in
            var information = stat()
            return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
                && access(path, X_OK) == 0
        }
    }
}
