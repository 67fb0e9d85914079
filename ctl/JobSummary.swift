import JSONReading

/// A row of `rewardd.job_status`, typed.
struct JobSummary: Equatable, Sendable {
    let id: Int64
    let kind: String
    /// What is judged; empty for a train job.
    let task: String
    /// The model that judges, or that training starts from.
    let model: String
    let queue: String
    let priority: Int64
    let state: String
    let itemsTotal: Int64
    /// Items that were judged.
    let itemsDone: Int64
    /// Items that came to an error; not among `itemsDone`.
    let itemsFailed: Int64
    let submittedBy: String
    /// The model that candidates are sampled from, if it is another one.
    let policy: String?

    /// The job in a row of `SQLAPI`; a missing member reads as empty or zero.
    init(_ row: JSONNode) {
        func number(_ name: String) -> Int64 { row[name].flatMap { Int64($0.cell) } ?? 0 }
        func text(_ name: String) -> String { row[name]?.cell ?? "" }
        id = number("job_id")
        kind = text("kind")
        task = text("task")
        model = text("model")
        queue = text("queue")
        priority = number("priority")
        state = text("state")
        itemsTotal = number("items_total")
        itemsDone = number("items_done")
        itemsFailed = number("items_failed")
        submittedBy = text("submitted_by")
        let sampled = row["options"]?["policy"]?.text
        policy = sampled == model ? nil : sampled
    }

    /// Whether it makes a model instead of judging items.
    var isTraining: Bool { kind == CommonArguments.trainKind }

    /// What a daemon must announce among its models to run the job.
    var claimLabel: String {
        if isTraining { return "train/\(model)" }
        return policy.map { "sample/\($0)=\(model)" } ?? model
    }

    /// Items that need no more work.
    var itemsFinished: Int64 { itemsDone + itemsFailed }

    /// Whether the job will not change any more by itself.
    var isFinal: Bool { ["completed", "failed", "cancelled"].contains(state) }

    /// Whether everything that was asked for was done.
    var isSuccess: Bool { state == "completed" && itemsFailed == 0 }
}
