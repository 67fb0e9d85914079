package import Inference
package import VisionPreprocessing

/// How the items of a job are judged: the part of the job's options that concerns judging.
package struct JudgingOptions: Sendable, Equatable {
    /// In which orders the two candidates of a comparison are shown.
    package enum Orders: String, Sendable, CaseIterable {
        /// Both ways round; a disagreement is a tie marked `order_sensitive`.
        case both
        /// As the item has them, once: what the reference scripts do.
        case single
    }

    /// How answers are got from the model.
    package var answer = AnswerMode.choices
    /// In which orders comparisons are shown.
    package var orders = Orders.both
    /// Whether an identical question of any job is answered from the table.
    package var reuse = true
    /// A preference pair's margin must be greater than this, and greater than 0. In units of the
    /// scale.
    package var marginMinimum = 0.0
    /// The longest free answer, in tokens; nil for as many as the template says, or 512.
    package var maximumNewTokens: Int?
    /// Names of templates to use instead of the pack's first for their kinds.
    package var templates: [String] = []
    /// Which candidates of a `build_pairs` item are compared.
    package var plan = Plan.paired
    /// How many rounds of the round robin are played; nil for all.
    package var rounds: Int?
    /// Shuffles who meets whom; nil for the item's order. Samples are drawn by it too, nil as by 0.
    package var seed: Int?
    /// How candidates are sampled; nil where items bring theirs.
    package var candidates: CandidateSampling?

    /// After how many attempts a shard fails; the default is the queue's.
    package var maximumAttempts = 5

    /// Which candidates meet.
    package enum Plan: String, Sendable, CaseIterable {
        /// Each meets one other: N/2 comparisons.
        case paired
        /// Each meets every other, or as many as there are rounds.
        case roundRobin = "round_robin"
    }

    /// How frames are chosen of a video file; nil for the way of the prompt pack.
    package var sampling: FrameSampler.Rule?
    /// How many frames are chosen of a video file; nil for the number of the prompt pack, or of the rule.
    package var frames: Int?

    /// The defaults.
    package init() {}

    /// Reads a job's options. What concerns the queue alone (`shard_size`) is checked and left to it.
    /// Throws `.invalidOptions` with a sentence that names the path.
    package init(json: some Collection<UInt8>) throws(RewardModelingError) {
        guard let value = PayloadValue(json: json) else {
            throw .invalidOptions(
                "options: expected a JSON object, got \(json.count) bytes of other text"
            )
        }
        let reader = try PayloadReader(
            value,
            path: "options",
            subject: "options",
            error: { .invalidOptions($0) }
        )
        try reader.refuseFields(
            except: [
                "answer", "orders", "reuse", "margin_minimum", "max_new_tokens", "sampling",
                "frames",
                "shard_size", "max_attempts", "templates", "plan", "rounds", "seed", "policy",
            ] + CandidateSampling.fields
        )
        answer = try reader.word("answer", as: AnswerMode.self) ?? answer
        orders = try reader.word("orders", as: Orders.self) ?? orders
        if let flag = reader.value("reuse") {
            guard case .bool(let value) = flag else {
                throw reader.mismatch("reuse", "true or false")
            }
            reuse = value
        }
        marginMinimum =
            try reader.number(
                "margin_minimum",
                in: 0...Double.greatestFiniteMagnitude,
                whole: false,
                "a number of at least 0"
            ) ?? marginMinimum
        maximumNewTokens = try whole(reader, "max_new_tokens", 4096)
        sampling = try reader.word("sampling", as: FrameSampler.Rule.self)
        frames = try reader.frameCount("frames")
        templates = try Self.templates(reader)
        plan = try reader.word("plan", as: Plan.self) ?? plan
        rounds = try whole(reader, "rounds", ItemPayload.maximumCandidates - 1)
        seed = try reader.number(
            "seed",
            in: 0...9_007_199_254_740_991,
            whole: true,
            "a whole number from 0 to 9007199254740991"
        ).map { Int($0) }
        candidates = try CandidateSampling(reader, seed: seed)
        guard rounds == nil || plan == .roundRobin else {
            throw reader.mismatch("rounds", "plan \"round_robin\" with it")
        }
        _ = try whole(reader, "shard_size", 1000)
        maximumAttempts = try whole(reader, "max_attempts", 100) ?? maximumAttempts
    }

    /// Which frames of a video file are shown: as the job says, then the template, then its pack.
    package func sampler(
        for pack: PromptPack,
        _ template: PromptTemplate? = nil
    ) -> FrameSampler {
        let usual = template?.sampler(in: pack.sampler) ?? pack.sampler
        return usual.changed(rule: sampling, count: frames)
    }

    /// How a template of a pack has media shown.
    package func view(of template: PromptTemplate, in pack: PromptPack) -> MediaView {
        MediaView(sampler: sampler(for: pack, template), preparation: template.preparation)
    }

    /// The views of the templates by which kinds of questions are asked, none twice. Throws
    /// `.missingTemplate`.
    package func views(
        for kinds: [QuestionKind],
        about task: JudgingTask,
        in pack: PromptPack
    ) throws(RewardModelingError) -> [MediaView] {
        var views: [MediaView] = []
        for kind in kinds {
            let template = try pack.template(task, kind, preferring: templates)
            let view = view(of: template, in: pack)
            if !views.contains(view) { views.append(view) }
        }
        return views
    }

    private static func templates(
        _ reader: PayloadReader
    ) throws(RewardModelingError) -> [String] {
        guard reader.value("templates") != nil else { return [] }
        let expected = "an array of 1 to 8 names of templates"
        var names: [String] = []
        for value in try reader.array("templates", expected) {
            guard case .string(let name) = value, !name.isEmpty else {
                throw reader.mismatch("templates", expected)
            }
            names.append(name)
        }
        guard (1...8).contains(names.count) else { throw reader.mismatch("templates", expected) }
        return names
    }

    /// The longest free answer where neither the job nor the template says.
    private static let usualTokens = 512

    /// The longest free answer to a template's question, in tokens.
    func longestAnswer(to template: PromptTemplate) -> Int {
        maximumNewTokens ?? template.longestAnswer ?? Self.usualTokens
    }

    /// What decides how a question is answered, as fingerprints mix it in, where the question itself does not say
    /// how long its answer may be.
    ///
    /// - Parameter tokens: How the tokens of free answers are chosen.
    package func decoding(_ tokens: Decoding = .greedy) -> AnswerDecoding {
        answer == .choices
            ? .choices
            : .generate(
                maximumTokens: maximumNewTokens ?? Self.usualTokens,
                decoding: tokens
            )
    }
}

private func whole(
    _ reader: PayloadReader,
    _ name: String,
    _ maximum: Int
) throws(RewardModelingError) -> Int? {
    try reader.number(
        name,
        in: 1...Double(maximum),
        whole: true,
        "a whole number from 1 to \(maximum)"
    ).map { Int($0) }
}
