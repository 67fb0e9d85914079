import Foundation
import Testing

/// The limits of the house, kept by a test instead of by reviewers.
@Suite("The source tree")
struct TidyTests {
    private static let everything: Set<String> = ["swift", "c", "h", "sql"]

    @Test("no file is longer than 400 lines without a reason in its first comment")
    func fileLength() throws {
        let files = try SourceTree.files(
            under: ["Sources", "ctl", "migrations", "Tests"],
            extensions: Self.everything
        )
        #expect(files.count > 100)
        for file in files where file.lines.count > 401 {
            #expect(
                file.firstComment.contains("Longer than 400 lines because"),
                "\(file.path) has \(file.lines.count) lines"
            )
        }
    }

    @Test("no two Swift files share a name, so a name alone finds a file")
    func uniqueNames() throws {
        let files = try SourceTree.files(
            under: ["Sources", "ctl", "migrations", "Tests"],
            extensions: ["swift"]
        )
        for (name, group) in Dictionary(grouping: files, by: \.name) where group.count > 1 {
            Issue.record("\(name): \(group.map(\.path))")
        }
    }

    @Test("nothing that outside input could reach crashes on purpose")
    func noTraps() throws {
        let traps = ["try!", "as!", "fatalError("]
        for file in try SourceTree.product() {
            for (number, line) in file.lines.enumerated() where !isComment(line) {
                for trap in traps where line.contains(trap) {
                    Issue.record("\(file.path):\(number + 1): \(trap)")
                }
            }
        }
    }

    @Test("only executables print")
    func noPrint() throws {
        let executables = ["ctl/", "Sources/rewardd/", "Sources/rewardbench/"]
        for file in try SourceTree.product()
        where !executables.contains(where: { file.path.hasPrefix($0) }) {
            for (number, line) in file.lines.enumerated() where !isComment(line) {
                #expect(
                    line.range(of: #"(^|[^\w.])print\("#, options: .regularExpression) == nil,
                    "\(file.path):\(number + 1)"
                )
            }
        }
    }

    @Test("every claim that the compiler cannot check says why it holds")
    func uncheckedClaims() throws {
        for file in try SourceTree.product() {
            for (number, line) in file.lines.enumerated()
            where !isComment(line)
                && (line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)"))
            {
                let nearby = file.lines[max(0, number - 4)...number].joined(separator: "\n")
                #expect(nearby.contains("//"), "\(file.path):\(number + 1)")
            }
        }
    }

    @Test("nothing is left for later in the source")
    func noLeftovers() throws {
        let files = try SourceTree.files(
            under: ["Sources", "ctl", "migrations"],
            extensions: Self.everything
        )
        for file in files {
            for (number, line) in file.lines.enumerated() {
                for word in ["TO" + "DO", "FIX" + "ME", "not yet " + "implemented"] {
                    #expect(!line.contains(word), "\(file.path):\(number + 1): \(word)")
                }
            }
        }
    }

    @Test("migrations are numbered without gaps and all of them are embedded")
    func migrationFiles() throws {
        let files = try SourceTree.files(under: ["migrations"], extensions: ["sql"])
        let list = try String(
            contentsOf: SourceTree.root.appending(path: "Sources/CMigrations/CMigrations.c"),
            encoding: .utf8
        )
        #expect(!files.isEmpty)
        for (index, file) in files.enumerated() {
            let number = String(index + 1)
            let prefix = String(repeating: "0", count: 4 - number.count) + number + "_"
            #expect(file.name.hasPrefix(prefix), "\(file.path)")
            #expect(list.contains("\"\(file.name)\""), "CMigrations.c lists \(file.name)")
            #expect(list.contains("migrations/\(file.name)\""), "CMigrations.c embeds \(file.name)")
        }
    }

    @Test("every SQL function that Swift calls exists in the migrations")
    func sqlFunctions() throws {
        let sql = try SourceTree.files(under: ["migrations"], extensions: ["sql"])
            .flatMap(\.lines).joined(separator: "\n").lowercased()
        let pattern = try Regex(#"rewardd\.([a-z_]+)\s*\("#)
        var names: Set<String> = []
        for file in try SourceTree.files(under: ["Sources", "ctl"], extensions: ["swift"]) {
            for line in file.lines where !isComment(line) {
                for match in line.matches(of: pattern) {
                    if let name = match.output[1].substring { names.insert(String(name)) }
                }
            }
        }
        #expect(names.contains("claim_shards"))
        for name in names.sorted() {
            #expect(sql.contains("function rewardd.\(name)("), "rewardd.\(name)")
        }
    }

    @Test("the package depends on no other package")
    func noPackages() throws {
        let manifest = try String(
            contentsOf: SourceTree.root.appending(path: "Package.swift"),
            encoding: .utf8
        )
        #expect(!manifest.contains(".package("))
    }

    private func isComment(_ line: String) -> Bool {
        line.trimmingCharacters(in: .whitespaces).hasPrefix("//")
    }
}
