import ArgumentParsing
import JSONReading

/// How far a training is, from its events `training_progress`.
struct TrainingStatus {
    /// The number of the latest event.
    let eventID: Int64
    /// When it was.
    private let at: String?
    /// What it says.
    private let data: JSONNode
    /// The accuracies of the latest validation so far.
    let validation: JSONNode?

    /// From a row of `SQLAPI.progress`.
    ///
    /// - Parameter validation: The accuracies known so far, for a report without a validation.
    init(_ row: JSONNode, keeping validation: JSONNode? = nil) {
        eventID = row["event_id"]?.integer ?? 0
        at = row["at"]?.text
        data = row["data"] ?? .null
        self.validation = data["validation"] ?? validation
    }

    /// The line that `watch` prints: the job, the time and what was reported.
    func event(job: Int64) -> JSONNode {
        var members: [JSONNode.Member] = [
            .init(name: "job_id", value: .int(job)),
            .init(name: "event", value: .string("training_progress")),
            .init(name: "at", value: .optional(at)),
        ]
        if case .object(let reported) = data { members += reported }
        return .object(members)
    }

    /// The report with the latest validation, for `describe -o json`.
    var json: JSONNode {
        var members: [JSONNode.Member] = [.init(name: "at", value: .optional(at))]
        if case .object(let reported) = data {
            members += reported.filter { $0.name != "validation" }
        }
        if let validation { members.append(.init(name: "validation", value: validation)) }
        return .object(members)
    }

    /// The parts of the line that `watch` draws on a terminal.
    var statusParts: [String] {
        var parts = isReading ? ["reading"] : []
        parts += [
            ProgressBar.bar(done: step, total: steps),
            "\(NumberText.grouped(step))/\(NumberText.grouped(steps))",
            ProgressBar.percent(done: step, total: steps),
        ]
        if let loss, !isReading { parts.append("loss \(NumberText.brief(loss))") }
        if let timeLeft { parts.append("ETA \(timeLeft)") }
        if !validationText.isEmpty { parts.append(validationText) }
        return parts
    }

    /// One line for `describe`.
    func summary(isRunning: Bool) -> String {
        if isReading {
            return "reading the dataset, record \(NumberText.grouped(step)) of "
                + NumberText.grouped(steps)
        }
        var parts = [
            "step \(NumberText.grouped(step)) of \(NumberText.grouped(steps)) "
                + "(\(ProgressBar.percent(done: step, total: steps)))"
        ]
        if let loss { parts.append("loss \(NumberText.brief(loss))") }
        if let rate = data["learning_rate"]?.double { parts.append("learning rate \(rate)") }
        if isRunning, let speed = data["examples_per_second"]?.double, speed >= 0 {
            parts.append("\(NumberText.rate(perSecond: speed)) examples")
        }
        if isRunning, let timeLeft { parts.append("ETA \(timeLeft)") }
        return parts.joined(separator: ", ")
    }

    /// `image_generation/pair_rank 0.91, …`; empty before the first validation.
    var validationText: String {
        guard case .object(let members) = validation else { return "" }
        return members.map { "\(Table.printable($0.name)) \(ResultText.number($0.value))" }
            .joined(separator: ", ")
    }

    // MARK: - Parts

    private var isReading: Bool { data["phase"]?.text == "reading" }
    private var step: Int64 { whole("step") }
    private var steps: Int64 { whole("steps") }
    private var loss: Double? { data["loss"]?.double }

    private var timeLeft: String? {
        // A century, since text from outside is turned into a duration.
        guard let seconds = data["seconds_left"]?.double, (0...3.2e9).contains(seconds) else {
            return nil
        }
        return DurationText.describe(.seconds(seconds.rounded()))
    }

    private func whole(_ name: String) -> Int64 { data[name]?.integer ?? 0 }
}
