import ArgumentParsing
import Migrations

/// `rewardctl version`.
enum VersionCommand: Command {
    static let spec = CommandSpec(
        "version",
        overview: "Print the versions of this tool and of the schema it carries.",
        discussion: "Does not connect to the database."
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        try context.output.line(
            "rewardctl \(ToolVersion.current), schema version \(MigrationCatalog.latest)"
        )
        return .success
    }
}
