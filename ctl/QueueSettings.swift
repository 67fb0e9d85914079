import ArgumentParsing

/// What `rewardctl queue create` and `queue set` change of a queue.
struct QueueSettings {
    /// A setting that was given: a value, or nil for `none`.
    struct Change<Value> {
        let value: Value?
    }

    /// Shards that may run at once over all daemons; nil leaves it as it is.
    let maxRunning: Change<Int>?
    /// How long ended jobs are kept; nil leaves it as it is.
    let retention: Change<Duration>?

    /// Whether anything was given.
    var isEmpty: Bool { maxRunning == nil && retention == nil }

    /// The options that give them.
    static let options: [OptionSpec] = [
        .option(
            "max-running",
            value: "count",
            "Shards that may run at once over all daemons.",
            format: limitFormat
        ),
        .option(
            "retention",
            value: "duration",
            "How long ended jobs are kept; daemons remove older ones.",
            format: retentionFormat
        ),
    ]

    init(_ arguments: ParsedArguments) throws(ParsingError) {
        maxRunning = arguments.text("max-running").map { Change(value: Int($0)) }
        retention = arguments.text("retention").map { Change(value: DurationText.parse($0)) }
    }

    private static let limitFormat = ValueFormat(
        expectation: "a whole number from 1 to 1000000, or none"
    ) { text in
        text == "none" || Int(text).map { (1...1_000_000).contains($0) } ?? false
    }

    private static let retentionFormat = ValueFormat(
        expectation: "\(DurationText.expectation) of 1m or more, or none"
    ) { text in
        text == "none" || DurationText.parse(text).map { $0 >= .seconds(60) } ?? false
    }
}
