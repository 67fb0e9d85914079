/// What the candidates of an item are judged against.
package enum ItemContext: Sendable, Equatable {
    /// The text the pictures or clips were made from.
    case generation(caption: String)
    /// The question, and the picture or clip it is about.
    case understanding(question: String, about: VisualReference)
    /// What was to be done, and the picture it was to be done to.
    case editing(instruction: String, source: VisualReference)
}

/// One thing to be judged: a picture or a clip, or an answer to a question about one.
package enum Candidate: Sendable, Equatable {
    /// A picture or a clip.
    case media(VisualReference)
    /// An answer, which may be empty.
    case response(String)

    /// The candidate as a payload would write it.
    package var json: PayloadValue {
        switch self {
        case .media(let reference): reference.json
        case .response(let text): .string(text)
        }
    }
}

/// One item of a job, decoded and checked.
///
/// The payloads of all kinds come to the same thing: a context and one (`point_score`), two
/// (`pair_rank`) or 2…64 (`build_pairs`) candidates, all of the sort the task judges.
package struct ItemPayload: Sendable, Equatable {
    /// The most candidates of one `build_pairs` item.
    package static let maximumCandidates = 64
    /// The longest `id`, in Unicode scalars as PostgreSQL counts characters.
    package static let maximumIDLength = 200

    /// The caller's own name for the item.
    package let id: String?
    /// What the candidates are judged against.
    package let context: ItemContext
    /// The candidates in the item's order; none where they are to be sampled.
    package let candidates: [Candidate]
    /// Where each candidate stands in the payload, such as `first` or `candidates[3]`.
    package let candidatePaths: [String]

    /// Reads a payload of the given kind and task. Throws `.invalidItem` with a sentence that names
    /// the JSON path, what was expected there and what was found.
    ///
    /// - Parameter candidatesAreSampled: Whether the payload must leave its candidates out.
    package init(
        json: some Collection<UInt8>,
        kind: JudgingKind,
        task: JudgingTask,
        candidatesAreSampled: Bool = false
    ) throws(RewardModelingError) {
        guard let value = PayloadValue(json: json) else {
            throw .invalidItem(
                "item: expected a JSON object, got \(json.count) bytes of other text"
            )
        }
        try self.init(value, kind: kind, task: task, candidatesAreSampled: candidatesAreSampled)
    }

    /// Reads a payload that is JSON already.
    package init(
        _ value: PayloadValue,
        kind: JudgingKind,
        task: JudgingTask,
        candidatesAreSampled: Bool = false
    ) throws(RewardModelingError) {
        let reader = try PayloadReader(
            value,
            path: "",
            subject: "item",
            error: { .invalidItem($0) }
        )
        let medium = task.medium
        guard kind.tasks.contains(task) else {
            throw .invalidItem("item: expected a task of \(kind.rawValue), got \(task.rawValue)")
        }
        let contextFields =
            task == .imageEditing
            ? ["instruction", "source"]
            : task.judgesMedia ? ["caption"] : ["question", medium.rawValue]
        try reader.refuseFields(
            except: ["id"] + kind.labelFields + contextFields + kind.candidateFields(for: task)
        )
        id = try Self.id(reader)
        if task == .imageEditing {
            context = .editing(
                instruction: try reader.string("instruction"),
                source: try VisualReference(reader.value("source"), path: "source", medium: medium)
            )
        } else if task.judgesMedia {
            context = .generation(caption: try reader.string("caption"))
        } else {
            let question = try reader.string("question")
            let field = medium.rawValue
            context = .understanding(
                question: question,
                about: try VisualReference(reader.value(field), path: field, medium: medium)
            )
        }
        guard !candidatesAreSampled else {
            guard kind == .buildPairs, !task.judgesMedia else {
                throw .invalidItem(
                    "item: expected build_pairs over texts for the option policy, got "
                        + "\(kind.rawValue) for \(task.rawValue)"
                )
            }
            guard reader.value("candidates") == nil else {
                throw reader.mismatch(
                    "candidates",
                    "nothing, because the option policy has them sampled"
                )
            }
            (candidates, candidatePaths) = ([], [])
            return
        }
        (candidates, candidatePaths) = try Self.candidates(reader, kind: kind, task: task)
    }

    /// The payload of an item whose candidates were sampled.
    package init(_ payload: ItemPayload, answers: [String]) {
        id = payload.id
        context = payload.context
        candidates = answers.map { .response($0) }
        candidatePaths = answers.indices.map { "candidates[\($0)]" }
    }

    private static func id(_ reader: PayloadReader) throws(RewardModelingError) -> String? {
        guard reader.value("id") != nil else { return nil }
        let id = try reader.string("id")
        let length = id.unicodeScalars.count
        guard length <= maximumIDLength else {
            throw .invalidItem(
                "id: expected at most \(maximumIDLength) characters, got \(length)"
            )
        }
        return id
    }

    private static func candidates(
        _ reader: PayloadReader,
        kind: JudgingKind,
        task: JudgingTask
    ) throws(RewardModelingError) -> ([Candidate], [String]) {
        var found: [(PayloadValue?, String)] = []
        if kind == .buildPairs {
            let least = 2
            let expected = "an array of \(least) to \(maximumCandidates)"
            let values = try reader.array("candidates", expected)
            guard (least...maximumCandidates).contains(values.count) else {
                throw reader.mismatch("candidates", expected)
            }
            found = values.enumerated().map { ($0.element, "candidates[\($0.offset)]") }
        } else {
            found = kind.candidateFields(for: task).map { (reader.value($0), $0) }
        }
        var candidates: [Candidate] = []
        for (value, path) in found {
            candidates.append(try candidate(value, path: path, task: task))
        }
        return (candidates, found.map(\.1))
    }

    private static func candidate(
        _ value: PayloadValue?,
        path: String,
        task: JudgingTask
    ) throws(RewardModelingError) -> Candidate {
        if task.judgesMedia {
            return .media(try VisualReference(value, path: path, medium: task.medium))
        }
        guard case .string(let text)? = value else {
            throw .invalidItem("\(path): expected a string, got \(value?.summary ?? "nothing")")
        }
        return .response(text)
    }
}

extension JudgingKind {
    /// The fields of a payload that hold its candidates.
    fileprivate func candidateFields(for task: JudgingTask) -> [String] {
        switch self {
        case .pointScore:
            [
                task == .imageEditing
                    ? "edited" : task.judgesMedia ? task.medium.rawValue : "response"
            ]
        case .pairRank, .pairScore: ["first", "second"]
        case .buildPairs: ["candidates"]
        }
    }

    /// The fields that say what a person thought of the item. They are checked when a job is enqueued
    /// and read when it is evaluated; judging does not see them.
    fileprivate var labelFields: [String] {
        self == .buildPairs ? [] : ["label", "labels", "group"]
    }
}
