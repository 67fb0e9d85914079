import RewardModeling

/// Reads one line of a training dataset and refuses what does not belong, naming the field.
///
/// The shape follows from the fields: `score` makes a point record, `verdict` a pair, `chosen` and
/// `rejected` a pair whose first candidate is better, `prompt` and `response` a conversation.
struct DatasetRecordReader {
    private let line: Int
    private var fields: [String: PayloadValue]

    /// Throws a sentence when the line is not a JSON object.
    init(_ bytes: some Collection<UInt8>, line: Int) throws(DatasetLineError) {
        guard let value = PayloadValue(json: bytes) else {
            throw DatasetLineError("expected a JSON object, got \(bytes.count) bytes of other text")
        }
        guard case .object(let fields) = value else {
            throw DatasetLineError("expected a JSON object, got \(value.summary)")
        }
        self.line = line
        self.fields = fields
    }

    /// The record. Throws a sentence led by the field that is wrong.
    mutating func record() throws(DatasetLineError) -> DatasetRecord {
        let task: JudgingTask = try word(take("task"), "task")
        let split: DatasetRecord.Split? =
            try take("split").map { value throws(DatasetLineError) in try word(value, "split") }
        let id = try id()
        let content = try content(task: task)
        return DatasetRecord(line: line, id: id, task: task, split: split, content: content)
    }

    private mutating func content(
        task: JudgingTask
    ) throws(DatasetLineError) -> DatasetRecord.Content {
        if let score = take("score") {
            return try point(score, task: task)
        }
        if let verdict = take("verdict") {
            let verdict: PairVerdict = try word(verdict, "verdict")
            return .pair(try payload(.pairRank, task), verdict.verdict)
        }
        if let chosen = take("chosen") {
            guard let rejected = take("rejected") else {
                throw DatasetLineError("rejected: expected the worse candidate, got nothing")
            }
            fields["first"] = chosen
            fields["second"] = rejected
            return .pair(try payload(.pairRank, task), .first)
        }
        if fields["prompt"] != nil || fields["response"] != nil && fields["media"] != nil {
            return try conversation(task: task)
        }
        throw DatasetLineError(
            "score: expected a field that says the truth (\"score\", \"verdict\", \"chosen\" with "
                + "\"rejected\", or \"prompt\" with \"response\"), got none of them"
        )
    }

    private mutating func point(
        _ value: PayloadValue,
        task: JudgingTask
    ) throws(DatasetLineError) -> DatasetRecord.Content {
        guard case .number(let score) = value else {
            throw DatasetLineError("score: expected a number, got \(value.summary)")
        }
        let scale = try take("scale").map { value throws(DatasetLineError) in try self.scale(value)
        }
        if let scale, !(scale.minimum...scale.maximum).contains(score) {
            throw DatasetLineError(
                "score: expected a number from \(scale.minimum) to \(scale.maximum), got \(score)"
            )
        }
        return .point(try payload(.pointScore, task), score: score, scale: scale)
    }

    private func scale(_ value: PayloadValue) throws(DatasetLineError) -> Scale {
        if case .array(let bounds) = value, bounds.count == 2,
            case .number(let minimum) = bounds[0], case .number(let maximum) = bounds[1],
            let scale = Scale(minimum: minimum, maximum: maximum)
        {
            return scale
        }
        throw DatasetLineError(
            "scale: expected [minimum, maximum] in rising order, got \(value.summary)"
        )
    }

    private mutating func conversation(
        task: JudgingTask
    ) throws(DatasetLineError) -> DatasetRecord.Content {
        let prompt = try text("prompt")
        let response = try text("response")
        guard case .array(let values)? = take("media"), (1...64).contains(values.count) else {
            throw DatasetLineError("media: expected an array of 1 to 64 pictures or clips")
        }
        var shown: [VisualReference] = []
        for (index, value) in values.enumerated() {
            do {
                shown.append(
                    try VisualReference(value, path: "media[\(index)]", medium: task.medium)
                )
            } catch {
                throw DatasetLineError(error.message)
            }
        }
        if let unknown = fields.keys.min() {
            throw DatasetLineError(
                "\(unknown): expected one of \"id\", \"task\", \"split\", \"media\", \"prompt\", "
                    + "\"response\", got an unknown field"
            )
        }
        guard !response.isEmpty else {
            throw DatasetLineError("response: expected a text, got an empty one")
        }
        return .conversation(shown: shown, prompt: prompt, response: response)
    }

    /// What is left of the line, read as a judging payload.
    private func payload(
        _ kind: JudgingKind,
        _ task: JudgingTask
    ) throws(DatasetLineError) -> ItemPayload {
        do {
            return try ItemPayload(.object(fields), kind: kind, task: task)
        } catch {
            throw DatasetLineError(error.message)
        }
    }

    private mutating func id() throws(DatasetLineError) -> String? {
        guard let value = take("id") else { return nil }
        guard case .string(let text) = value,
            text.unicodeScalars.count <= ItemPayload.maximumIDLength
        else {
            throw DatasetLineError(
                "id: expected a string of at most \(ItemPayload.maximumIDLength) characters, got "
                    + value.summary
            )
        }
        return text
    }

    private mutating func text(_ name: String) throws(DatasetLineError) -> String {
        let value = take(name)
        guard case .string(let text)? = value else {
            throw DatasetLineError("\(name): expected a string, got \(value?.summary ?? "nothing")")
        }
        return text
    }

    private func word<Word: RawRepresentable & CaseIterable>(
        _ value: PayloadValue?,
        _ name: String
    ) throws(DatasetLineError) -> Word where Word.RawValue == String {
        if case .string(let text)? = value, let word = Word(rawValue: text) { return word }
        let words = Word.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        throw DatasetLineError(
            "\(name): expected one of \(words), got \(value?.summary ?? "nothing")"
        )
    }

    private mutating func take(_ name: String) -> PayloadValue? {
        fields.removeValue(forKey: name)
    }
}

/// The words of a pair record's `verdict`.
private enum PairVerdict: String, CaseIterable {
    case first
    case second
    case tie

    var verdict: Verdict {
        switch self {
        case .first: .first
        case .second: .second
        case .tie: .tie
        }
    }
}

/// What is wrong with one line, led by its field.
struct DatasetLineError: Error {
    let sentence: String

    init(_ sentence: String) { self.sentence = sentence }
}
