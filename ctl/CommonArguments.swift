import ArgumentParsing

/// Arguments and options that several commands share, so that they are spelled alike.
enum CommonArguments {
    /// Completes "expected …" for a job or daemon number.
    static let idExpectation = "a whole number, as printed by 'rewardctl get'"

    /// The rule for a job or daemon number.
    static let idFormat = ValueFormat(expectation: idExpectation) { text in
        Int64(text).map { $0 > 0 } ?? false
    }

    /// One job.
    static let job = ArgumentSpec(
        "id",
        "Job id, as printed by 'rewardctl get jobs'.",
        format: idFormat
    )

    /// One or more jobs.
    static let jobs = ArgumentSpec(
        "id",
        "Job ids, as printed by 'rewardctl get jobs'.",
        format: idFormat,
        repeatable: true
    )

    /// The kinds of job.
    static let kinds = ["point_score", "pair_rank", "pair_score", "build_pairs", trainKind]

    /// The kind that makes a model instead of judging items.
    static let trainKind = "train"

    /// What is judged.
    static let tasks = [
        "image_generation", "image_understanding", "video_generation", "video_understanding",
        "image_editing",
    ]

    /// The states of a job in the order it goes through them.
    static let states = [
        "scheduled", "ready", "held", "running", "completed", "failed", "cancelled",
    ]

    /// The option for the shape of lists.
    static let output = OptionSpec.option(
        "output",
        short: "o",
        value: "format",
        "table for people, name for ids only, the others for programs.",
        default: "table",
        values: ["table", "json", "jsonl", "csv", "name"]
    )

    /// The flag that leaves titles out.
    static let noHeaders = OptionSpec.flag(
        "no-headers",
        "Leave out the line of titles in a table or CSV."
    )

    /// The option for the shape of results and pairs.
    static let format = OptionSpec.option(
        "format",
        value: "format",
        "jsonl is complete, csv and table show the main columns.",
        default: "jsonl",
        values: ["jsonl", "csv", "table"]
    )
}
