import VisionPreprocessing

/// Reads one template of a prompt pack and checks that its parts fit together.
struct PromptTemplateReader {
    private let reader: PayloadReader
    private let path: String

    /// Throws unless the value is an object.
    init(_ value: PayloadValue, path: String) throws(RewardModelingError) {
        self.path = path
        reader = try PayloadReader(
            value,
            path: path,
            subject: path,
            error: { .invalidPromptPack($0) }
        )
    }

    /// Throws `.invalidPromptPack` with the path of the first fault.
    func template() throws(RewardModelingError) -> PromptTemplate {
        try reader.refuseFields(except: [
            "id", "task", "kind", "media", "text", "answer_grammar", "scale", "answer_prefix",
            "choices", "criteria", "clips", "video", "prepare",
            "max_new_tokens",
        ])
        let id = try storable(reader, "id")
        guard !id.isEmpty else { throw reader.mismatch("id", "a name") }
        let task = try required("task", as: JudgingTask.self)
        let kind = try required("kind", as: QuestionKind.self)
        let media = try media(task: task, kind: kind)
        let text = try text(task: task, kind: kind, media: media)
        let grammar = try required("answer_grammar", as: AnswerGrammar.self)
        let fitting = AnswerGrammar.fitting(kind)
        guard fitting.contains(grammar) else {
            let words = fitting.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
            throw reader.mismatch("answer_grammar", "\(words) for this kind")
        }
        let clips = try clips(task)
        let (sampling, frames) = try video(task)
        let template = PromptTemplate(
            id: id,
            task: task,
            kind: kind,
            media: media,
            text: text,
            grammar: grammar,
            answerPrefix: try storable(reader, "answer_prefix"),
            choices: try choices(kind: kind),
            criteria: try criteria(grammar),
            clips: clips,
            sampling: sampling,
            frames: frames,
            preparation: try PreparationReader(reader).preparation(clips: clips),
            longestAnswer: try longestAnswer()
        )
        try checkAnswers(of: template)
        return template
    }

    /// A text that is stored with judgements: PostgreSQL's `text` cannot hold U+0000.
    private func storable(
        _ reader: PayloadReader,
        _ name: String
    ) throws(RewardModelingError) -> String {
        let text = try reader.string(name)
        guard !text.utf8.contains(0) else { throw reader.mismatch(name, "a text without U+0000") }
        return text
    }

    private func required<Word: RawRepresentable & CaseIterable>(
        _ name: String,
        as type: Word.Type
    ) throws(RewardModelingError) -> Word where Word.RawValue == String {
        guard let word = try reader.word(name, as: type) else {
            throw reader.mismatch(
                name,
                Word.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
            )
        }
        return word
    }

    private func media(
        task: JudgingTask,
        kind: QuestionKind
    ) throws(RewardModelingError) -> [PromptMedia] {
        let allowed = PromptMedia.allowed(task: task, kind: kind)
        let written = allowed.map { PayloadValue.array($0.map { .string($0.rawValue) }) }
        guard let value = reader.value("media"), let place = written.firstIndex(of: value) else {
            let expected = written.map(\.json).joined(separator: " or ")
            let got = reader.value("media")?.json ?? "nothing"
            throw .invalidPromptPack(
                "\(reader.path(of: "media")): expected \(expected), got \(got)"
            )
        }
        return allowed[place]
    }

    private func clips(_ task: JudgingTask) throws(RewardModelingError) -> ClipDisplay {
        guard reader.value("clips") != nil else { return .videos }
        guard task.medium == .video else {
            throw reader.mismatch("clips", "nothing for a task of pictures")
        }
        return try required("clips", as: ClipDisplay.self)
    }

    private func longestAnswer() throws(RewardModelingError) -> Int? {
        try reader.number(
            "max_new_tokens",
            in: 1...4096,
            whole: true,
            "a whole number from 1 to 4096"
        ).map { Int($0) }
    }

    /// `"video": {"sampling": …, "frames": …}`, as a pack has it for all of its templates.
    private func video(
        _ task: JudgingTask
    ) throws(RewardModelingError) -> (FrameSampler.Rule?, Int?) {
        guard let value = reader.value("video") else { return (nil, nil) }
        guard task.medium == .video else {
            throw reader.mismatch("video", "nothing for a task of pictures")
        }
        let place = reader.path(of: "video")
        let video = try PayloadReader(
            value,
            path: place,
            subject: place,
            error: { .invalidPromptPack($0) }
        )
        try video.refuseFields(except: ["sampling", "frames"])
        return (
            try video.word("sampling", as: FrameSampler.Rule.self), try video.frameCount("frames")
        )
    }

    private func criteria(_ grammar: AnswerGrammar) throws(RewardModelingError) -> [Criterion] {
        let counts = grammar.criteriaCounts
        guard counts.upperBound > 0 else {
            guard reader.value("criteria") == nil else {
                throw reader.mismatch("criteria", "no criteria for \(grammar.rawValue)")
            }
            return []
        }
        let expected = "an array of \(counts.lowerBound) to \(counts.upperBound) criteria"
        let values = try reader.array("criteria", expected)
        guard counts.contains(values.count) else { throw reader.mismatch("criteria", expected) }
        var criteria: [Criterion] = []
        for (index, value) in values.enumerated() {
            let path = "\(reader.path(of: "criteria"))[\(index)]"
            let fields = try PayloadReader(
                value,
                path: path,
                subject: path,
                error: { .invalidPromptPack($0) }
            )
            try fields.refuseFields(except: ["name", "label"])
            let criterion = Criterion(
                name: try storable(fields, "name"),
                label: try storable(fields, "label")
            )
            let isName = !criterion.name.isEmpty && criterion.name.utf8.count <= 80
            guard isName, !criteria.contains(where: { $0.name == criterion.name }) else {
                throw fields.mismatch("name", "a name of its own of 1 to 80 bytes")
            }
            let words = criterion.labelWords
            guard !words.isEmpty, words.joined().utf8.allSatisfy({ $0 < 0x80 }),
                !criteria.contains(where: { $0.labelWords == words })
            else { throw fields.mismatch("label", "words of its own in ASCII") }
            criteria.append(criterion)
        }
        return criteria
    }

    /// The text: one string, or an array of lines.
    private func text(
        task: JudgingTask,
        kind: QuestionKind,
        media: [PromptMedia]
    ) throws(RewardModelingError) -> PromptText {
        let expected = "a string or an array of lines"
        let source: String
        switch reader.value("text") {
        case .string(let whole)?: source = whole
        case .array(let values)?:
            var lines: [String] = []
            for value in values {
                guard case .string(let line) = value else {
                    throw reader.mismatch("text", expected)
                }
                lines.append(line)
            }
            source = lines.joined(separator: "\n")
        default: throw reader.mismatch("text", expected)
        }
        let required = PromptField.required(task: task, kind: kind, media: media)
        let known = PromptField.allCases.filter(required.contains).map { "{\($0.rawValue)}" }
            .joined(separator: ", ")
        let place = reader.path(of: "text")
        let text: PromptText
        do {
            text = try PromptText(source)
        } catch {
            throw .invalidPromptPack(
                "\(place): expected only the placeholders \(known), got {\(error.name)}"
            )
        }
        for field in PromptField.allCases {
            switch (required.contains(field), text.fields.contains(field)) {
            case (true, false):
                throw .invalidPromptPack(
                    "\(place): expected the placeholders \(known), got none for {\(field.rawValue)}"
                )
            case (false, true):
                throw .invalidPromptPack(
                    "\(place): expected only the placeholders \(known), got {\(field.rawValue)}"
                )
            default: break
            }
        }
        return text
    }

    private func choices(kind: QuestionKind) throws(RewardModelingError) -> AnswerChoices {
        let expected = "an array of at least two choices"
        let values = try reader.array("choices", expected)
        guard values.count >= 2 else { throw reader.mismatch("choices", expected) }
        var readers: [(PayloadReader, String)] = []
        for (index, value) in values.enumerated() {
            let path = "\(reader.path(of: "choices"))[\(index)]"
            let choice = try PayloadReader(
                value,
                path: path,
                subject: path,
                error: { .invalidPromptPack($0) }
            )
            try choice.refuseFields(except: ["text", kind == .pairRank ? "verdict" : "value"])
            let text = try storable(choice, "text")
            // Free answers are compared without the white space around them.
            let own = trimmed(text)
            guard !own.isEmpty, !readers.contains(where: { trimmed($0.1) == own }) else {
                throw choice.mismatch("text", "a text of its own")
            }
            readers.append((choice, text))
        }
        return kind == .pairRank ? try verdicts(readers) : try scores(readers)
    }

    private func verdicts(
        _ readers: [(PayloadReader, String)]
    ) throws(RewardModelingError) -> AnswerChoices {
        guard reader.value("scale") == nil else {
            throw reader.mismatch("scale", "no scale for a comparison")
        }
        var choices: [(text: String, verdict: Verdict)] = []
        for (choice, text) in readers {
            guard let verdict = try choice.word("verdict", as: Verdict.self),
                verdict != .unparsed, !choices.contains(where: { $0.verdict == verdict })
            else { throw choice.mismatch("verdict", "each of first, second and tie once") }
            choices.append((text, verdict))
        }
        for side in [Verdict.first, .second] where !choices.contains(where: { $0.verdict == side })
        {
            throw .invalidPromptPack(
                "\(reader.path(of: "choices")): expected a choice for \(side.rawValue), got none"
            )
        }
        return .verdicts(choices)
    }

    private func scores(
        _ readers: [(PayloadReader, String)]
    ) throws(RewardModelingError) -> AnswerChoices {
        let expected = "two numbers, the least and the greatest score"
        guard case .array(let ends)? = reader.value("scale"), ends.count == 2,
            case .number(let minimum) = ends[0], case .number(let maximum) = ends[1],
            let scale = Scale(minimum: minimum, maximum: maximum)
        else { throw reader.mismatch("scale", expected) }
        var choices: [(text: String, value: Double)] = []
        for (choice, text) in readers {
            let least = choices.last?.value
            guard
                let value = try choice.number(
                    "value",
                    in: minimum...maximum,
                    whole: false,
                    "a number on the scale"
                ),
                least.map({ $0 < value }) ?? true
            else { throw choice.mismatch("value", "numbers on the scale in rising order") }
            choices.append((text, value))
        }
        return .scores(choices, scale)
    }

    /// An allowed answer may be any text; as a free answer it is then read word for word. But when
    /// the parser reads something in it, that must be what the choice says it means.
    private func checkAnswers(of template: PromptTemplate) throws(RewardModelingError) {
        switch template.choices {
        case .verdicts(let choices):
            for (index, choice) in choices.enumerated() {
                let read = PairRankParser.parse(template.answerPrefix + choice.text)
                guard read == choice.verdict || read == .unparsed else {
                    throw unread(index, choice.text, choice.verdict.rawValue, read.rawValue)
                }
            }
        case .scores(let choices, let scale):
            for (index, choice) in choices.enumerated() {
                let read = PointScoreParser.parse(
                    template.answerPrefix + choice.text,
                    scale: scale
                )
                if let read, read.value != choice.value {
                    throw unread(index, choice.text, "\(choice.value)", "\(read.value)")
                }
            }
        }
    }

    private func unread(
        _ index: Int,
        _ text: String,
        _ expected: String,
        _ got: String
    ) -> RewardModelingError {
        .invalidPromptPack(
            "\(reader.path(of: "choices"))[\(index)].text: expected an answer that reads as "
                + "\(expected), got \(quoted(text)), which reads as \(got)"
        )
    }
}
