import ArgumentParsing
import Migrations
import Postgres

/// `rewardctl migrate`: brings the schema to the version of this binary.
enum MigrateCommand: Command {
    static let spec = CommandSpec(
        "migrate",
        overview: "Bring the schema up to date.",
        discussion: """
            Applies the migrations that this binary carries and the database lacks, each in a \
            transaction of its own, under a lock: running it twice or at the same time from several \
            hosts is safe. A database that is newer than this binary is refused.
            """,
        options: [
            .flag("dry-run", "Say what would be applied, change nothing."),
            .flag("show-sql", "Print the statements on standard output; implies --dry-run."),
        ],
        examples: ["rewardctl migrate", "rewardctl migrate --show-sql | less"]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let api = try context.connect()
        let target = MigrationCatalog.latest
        let current = try api.schemaVersion(MigrationPlan.currentVersionQuery)
        guard current <= target else {
            throw CommandFailure(
                .conflict,
                """
                the database is at schema version \(current); this rewardctl understands up to \
                \(target). Use the rewardctl of the newer release.
                """
            )
        }
        if context.arguments.flag("show-sql") {
            let statements = MigrationPlan.statements(current: current, target: target)
            // A value added to a type cannot be used in the transaction that adds it.
            if !statements.isEmpty {
                try context.output.line("-- Each statement commits by itself: not for psql -1.")
            }
            for statement in statements { try context.output.line(statement) }
            return .success
        }
        let pending = MigrationCatalog.all.filter { $0.number > current }
        if pending.isEmpty {
            context.say("The schema is up to date at version \(current).")
            return .success
        }
        let isDryRun = context.arguments.flag("dry-run")
        for migration in pending {
            let isOurs = try isDryRun || apply(migration, api)
            let verb = isDryRun ? "would apply" : isOurs ? "applied" : "already applied"
            let mark = migration.breaking ? " (breaking)" : ""
            try context.output.line("\(verb) \(migration.label)\(mark)")
            try context.output.flush()
        }
        context.say(
            isDryRun
                ? "The schema is at version \(current); migrating brings it to \(target)."
                : "The schema is at version \(target)."
        )
        return .success
    }

    /// Applies one migration, unless another process was faster. When that happens while the
    /// statement waits for the migrators' lock, the statement itself does nothing.
    private static func apply(_ migration: Migration, _ api: SQLAPI) throws -> Bool {
        if try api.schemaVersion(MigrationPlan.currentVersionQuery) >= migration.number {
            return false
        }
        let statements = MigrationPlan.statements(
            current: migration.number - 1,
            target: migration.number
        )
        for statement in statements { try api.migrate(statement) }
        return true
    }
}

extension Migration {
    /// `0007 checkpoint_functions`.
    fileprivate var label: String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits + " " + name
    }
}
