import ArgumentParsing

/// `rewardctl watch`.
enum WatchCommand: Command {
    static let spec = CommandSpec(
        "watch",
        overview: "Follow a job until it ends.",
        discussion: """
            Draws a progress bar on a terminal and prints one JSON object for every change otherwise; \
            of a training also one for every report of its progress. \
            Ends with 0 when every item was judged, with 1 when the job or an item failed. Ctrl-C \
            stops watching; the job goes on.
            """,
        arguments: [CommonArguments.job],
        options: [
            .option(
                "timeout",
                value: "duration",
                "Give up waiting after this long, with exit code 7.",
                format: .duration
            )
        ],
        examples: ["rewardctl watch 4711 --timeout 8h && rewardctl pairs 4711 > pairs.jsonl"]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let id = try context.jobID()
        let timeout = try context.arguments.duration("timeout")
        let deadline = timeout.map { (ContinuousClock.now + $0, $0) }
        return try JobWatcher(id: id, deadline: deadline).run(context.connect(), context)
    }
}
