import ArgumentParsing

/// `rewardctl queue grant`.
enum GrantQueue: Command {
    static let spec = CommandSpec(
        "grant",
        overview: "Let a role submit to a queue, and nobody who is not granted it.",
        discussion: """
            A queue without any grant is open to every submitter. The first grant closes it to all others; \
            members of a granted role may submit too, if they have rewardd_submit. What waits already \
            stays. Schedules are checked each time, as their owner.
            """,
        arguments: [ArgumentSpec("queue", "The queue."), roles],
        examples: ["rewardctl queue grant nightly team_a team_b"]
    )

    /// The roles given to `grant` and `revoke`.
    static let roles = ArgumentSpec("role", "Roles of PostgreSQL.", repeatable: true)

    static func run(_ context: CommandContext) throws -> ExitCode {
        let queue = try context.arguments.requiredText("queue")
        let api = try context.connect()
        return try Batch.run(context.arguments.texts("role"), "role", context) { role in
            try api.grantQueue(queue, role: role)
                ? "may submit to queue \(queue)" : "may submit to queue \(queue) already"
        }
    }
}

/// `rewardctl queue revoke`.
enum RevokeQueue: Command {
    static let spec = CommandSpec(
        "revoke",
        overview: "Take back the grant of a queue; after the last one it is open to all.",
        arguments: [ArgumentSpec("queue", "The queue."), GrantQueue.roles],
        examples: ["rewardctl queue revoke nightly team_b"]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let queue = try context.arguments.requiredText("queue")
        let api = try context.connect()
        return try Batch.run(context.arguments.texts("role"), "role", context) { role in
            switch try api.revokeQueue(queue, role: role) {
            case "revoked": "may not submit to queue \(queue) any more"
            case "open":
                "lost the last grant of queue \(queue), which is open to every submitter now"
            default: "had no grant of queue \(queue)"
            }
        }
    }
}
