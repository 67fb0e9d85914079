import ArgumentParsing
import JSONReading

/// One job in detail, as text or as one JSON document.
struct JobDescription {
    /// The job's row.
    let row: JSONNode
    /// Why it is not running; empty when it is or has ended.
    let waiting: [String]
    /// Failed items by code.
    let failures: [JSONNode]
    /// Events, oldest first.
    let events: [JSONNode]
    /// How far a training is; nil for other jobs and before the first report.
    var training: TrainingStatus?

    /// The document.
    var json: String {
        var members: [JSONNode.Member] = [
            .init(name: "apiVersion", value: .string(RecordList.apiVersion)),
            .init(name: "job", value: RecordList.visible(row)),
            .init(name: "waiting", value: .array(waiting.map(JSONNode.string))),
            .init(name: "failures", value: .array(failures)),
            .init(name: "events", value: .array(events)),
        ]
        if let training { members.append(.init(name: "training", value: training.json)) }
        return JSONNode.object(members).json
    }

    /// The text, line by line.
    func lines(_ terminal: Terminal) -> [String] {
        let job = JobSummary(row)
        var lines = ["Job \(job.id)"]
        for (label, value) in fields(job, terminal) where !value.isEmpty {
            lines.append("  \(pad(label + ":", to: 13))\(value)")
        }
        if !waiting.isEmpty {
            lines += ["", "Not running because"] + waiting.map { "  \($0)" }
        }
        if !failures.isEmpty {
            lines += ["", "Failed items by code"]
            for failure in failures {
                let count = Int64(failure["items"]?.cell ?? "") ?? 0
                lines.append(
                    "  \(failure["error_code"]?.cell ?? ""): \(NumberText.counted(count, "item")), "
                        + "first item \(failure["first_item"]?.cell ?? ""): "
                        + Table.printable(failure["error"]?.cell ?? "")
                )
            }
        }
        if !events.isEmpty {
            lines += ["", "Timeline"]
            var table = Table([.init("AT"), .init("EVENT"), .init("DETAIL", mayShrink: true)])
            for event in events { table.append(cells(event)) }
            lines += table.lines(
                width: terminal.outputColumns.map { $0 - 2 },
                headers: false
            ).map { "  \($0)" }
        }
        return lines
    }

    private func fields(_ job: JobSummary, _ terminal: Terminal) -> [(String, String)] {
        [
            ("State", terminal.coloured(state: job.state)),
            ("Kind", [job.kind, job.task].filter { !$0.isEmpty }.joined(separator: ", ")),
            (job.isTraining ? "Base" : "Model", job.model),
            ("Queue", "\(job.queue), priority \(job.priority)"),
            ("Progress", progress(job)),
            ("Shards", shards),
            ("Speed", job.isTraining ? "" : speed(job)),
            ("Training", training?.summary(isRunning: !job.isFinal) ?? ""),
            ("Validation", training?.validationText ?? ""),
            ("Submitted", moment("created_at") + " by \(job.submittedBy)"),
            ("Started", moment("started_at")),
            ("Finished", moment("finished_at") + duration),
            ("Deadline", moment("deadline_at")),
            ("Key", Table.printable(row["idempotency_key"]?.cell ?? "")),
            ("Options", row["options"].map { $0 == .object([:]) ? "" : $0.json } ?? ""),
            ("Error", Table.printable(row["error"]?.cell ?? "")),
        ]
    }

    private func progress(_ job: JobSummary) -> String {
        let failed =
            job.itemsFailed > 0 ? ", \(NumberText.grouped(job.itemsFailed)) failed" : ""
        return ProgressBar.bar(done: job.itemsFinished, total: job.itemsTotal)
            + " \(NumberText.grouped(job.itemsFinished)) of "
            + NumberText.counted(job.itemsTotal, "item")
            + " (\(ProgressBar.percent(done: job.itemsFinished, total: job.itemsTotal)))" + failed
    }

    private var shards: String {
        guard let total = row["shards_total"]?.cell, let running = row["shards_running"]?.cell
        else { return "" }
        return "\(running) running of \(total)"
    }

    private func speed(_ job: JobSummary) -> String {
        guard job.itemsFinished > 0, let seconds = row["_running"]?.double, seconds > 0 else {
            return ""
        }
        let perSecond = Double(job.itemsFinished) / seconds
        let left = job.itemsTotal - job.itemsFinished
        let text = NumberText.rate(perSecond: perSecond) + " since it started"
        if job.isFinal || left == 0 { return text }
        return text + ", ETA "
            + DurationText.describe(.seconds((Double(left) / perSecond).rounded()))
    }

    private func moment(_ name: String) -> String {
        row[name]?.text.map(AgeText.moment) ?? ""
    }

    private var duration: String {
        guard row["finished_at"]?.text != nil, let seconds = row["_running"]?.double else {
            return ""
        }
        return ", after \(DurationText.describe(.seconds(seconds.rounded())))"
    }

    private func cells(_ event: JSONNode) -> [String] {
        var details: [String] = []
        for (member, label) in [("shard_id", "shard"), ("daemon_id", "daemon")] {
            if let id = event[member], id != .null { details.append("\(label) \(id.cell)") }
        }
        if case .object(let members) = event["data"] {
            details += members.map { "\($0.name) \($0.value.cell)" }
        }
        return [
            event["at"]?.text.map(AgeText.moment) ?? "", event["type"]?.cell ?? "",
            details.joined(separator: ", "),
        ]
    }

    private func pad(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
