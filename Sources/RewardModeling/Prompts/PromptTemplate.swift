package import Hashing
package import Tokenization
package import VisionPreprocessing

/// How a free answer is read.
package enum AnswerGrammar: String, Sendable, CaseIterable {
    /// `Image 1 is better than Image 2.`, `Both answers are equally good.`: see `PairRankParser`.
    case betterStatement = "better_statement"
    /// `Final Score: 3.7`: see `PointScoreParser`.
    case finalScore = "final_score"
    /// `Alignment Score (1-5): 2.7`, one line a criterion: see `CriteriaParser.scores`.
    case criteriaScores = "criteria_scores"
    /// `{"score": [20, 3]}`, one number a criterion: see `CriteriaParser.scoreList`.
    case scoreList = "score_list"
    /// `Alignment Score:`, `Image 1: 0.4`, `Image 2: 0.6`, …: see `CriteriaParser.pairScores`.
    case pairScores = "pair_scores"
    /// Two numbers, one a candidate: see `CriteriaParser.twoNumbers`.
    case twoNumbers = "two_numbers"
    /// A JSON object with a `winner`: see `RubricParser`.
    case rubric

    /// The grammars that answers to a kind of question may have.
    static func fitting(_ kind: QuestionKind) -> [AnswerGrammar] {
        switch kind {
        case .pairRank: [.betterStatement, .rubric]
        case .pointScore: [.finalScore, .criteriaScores, .scoreList]
        case .pairScore: [.pairScores, .twoNumbers]
        }
    }

    /// How many criteria a template of this grammar has.
    var criteriaCounts: ClosedRange<Int> {
        switch self {
        case .betterStatement, .finalScore, .rubric: 0...0
        case .criteriaScores, .scoreList, .pairScores: 1...16
        case .twoNumbers: 1...1
        }
    }
}

/// A picture or a clip that goes before a template's text.
package enum PromptMedia: String, Sendable, CaseIterable {
    /// The picture asked about, or the one to be scored.
    case image
    /// The clip asked about, or the one to be scored.
    case video
    /// The picture or clip presented first.
    case first
    /// The picture or clip presented second.
    case second
    /// The picture that was edited.
    case source
    /// What an edit made of it.
    case edited

    /// The media such a template may have, in the order the text numbers them; the usual first. How
    /// well made an edited picture is can be asked without showing what it was made from.
    static func allowed(task: JudgingTask, kind: QuestionKind) -> [[PromptMedia]] {
        let isPair = kind != .pointScore
        if task == .imageEditing {
            return isPair ? [[.source, .first, .second]] : [[.source, .edited], [.edited]]
        }
        if task.judgesMedia, isPair { return [[.first, .second]] }
        return [[task.medium == .image ? .image : .video]]
    }
}

/// How the models of a line are shown clips.
package enum ClipDisplay: String, Sendable, CaseIterable {
    /// As the model's family shows videos, with their time where it is told.
    case videos
    /// As so many pictures, one a frame: what the scripts do that ask a server, and what the models that they
    /// ask were trained on.
    case pictures
}

/// The answers a template allows, with what each means.
package enum AnswerChoices: Sendable, Equatable {
    /// Sentences of a comparison, about the candidates as presented.
    case verdicts([(text: String, verdict: Verdict)])
    /// Numerals of the scale, in rising order.
    case scores([(text: String, value: Double)], Scale)

    /// The answers' texts, in the order the engine is asked about them.
    package var texts: [String] {
        switch self {
        case .verdicts(let choices): choices.map(\.text)
        case .scores(let choices, _): choices.map(\.text)
        }
    }

    /// Equal texts with equal meanings, in the same order.
    package static func == (left: AnswerChoices, right: AnswerChoices) -> Bool {
        switch (left, right) {
        case (.verdicts(let left), .verdicts(let right)):
            left.elementsEqual(right, by: ==)
        case (.scores(let left, let leftScale), .scores(let right, let rightScale)):
            left.elementsEqual(right, by: ==) && leftScale == rightScale
        default: false
        }
    }
}

/// One question in words: what the model is shown, and how its answer is to be read.
package struct PromptTemplate: Sendable, Equatable {
    /// The name stored with every judgement, such as `image_generation/pair_rank`.
    package let id: String
    /// What is judged.
    package let task: JudgingTask
    /// What is asked.
    package let kind: QuestionKind
    /// The pictures or clips, all before the text, in this order.
    package let media: [PromptMedia]
    /// How clips are shown; of no account where there are none.
    package let clips: ClipDisplay
    /// How frames of a video file are chosen; nil for the pack's way. The job's goes before it.
    package let sampling: FrameSampler.Rule?
    /// How many are chosen; nil for the pack's number, or the rule's.
    package let frames: Int?
    /// What is done to pictures and frames before the model's own preprocessing.
    package let preparation: PicturePreparation
    /// The longest free answer, in tokens; nil for the usual. The job's goes before it.
    package let longestAnswer: Int?
    /// The words.
    package let text: PromptText
    /// How a free answer is read.
    package let grammar: AnswerGrammar
    /// The fixed start of an answer after which the choices stand.
    package let answerPrefix: String
    /// The allowed answers; of a template with criteria, the numerals of each.
    package let choices: AnswerChoices
    /// What is judged by itself, in the answer's order; empty for an answer that is one choice.
    package let criteria: [Criterion]
    /// SHA-256 over everything above; part of every fingerprint, so a changed word asks anew.
    package let digest: Digest

    /// Made by `PromptPack`, which has checked that the parts fit together.
    init(
        id: String,
        task: JudgingTask,
        kind: QuestionKind,
        media: [PromptMedia],
        text: PromptText,
        grammar: AnswerGrammar,
        answerPrefix: String,
        choices: AnswerChoices,
        criteria: [Criterion] = [],
        clips: ClipDisplay = .videos,
        sampling: FrameSampler.Rule? = nil,
        frames: Int? = nil,
        preparation: PicturePreparation = .none,
        longestAnswer: Int? = nil
    ) {
        self.id = id
        self.task = task
        self.kind = kind
        self.media = media
        self.text = text
        self.grammar = grammar
        self.answerPrefix = answerPrefix
        self.choices = choices
        self.criteria = criteria
        self.clips = clips
        self.sampling = sampling
        self.frames = frames
        self.preparation = preparation
        self.longestAnswer = longestAnswer
        // No field has these names, and templates without keep the digests they had.
        var own = criteria.isEmpty ? [] : ["criteria"] + criteria.flatMap { [$0.name, $0.label] }
        if clips != .videos { own += ["clips", clips.rawValue] }
        if let sampling { own += ["sampling", sampling.rawValue] }
        if let frames { own += ["frames", "\(frames)"] }
        if !preparation.isNone { own += ["prepare", preparation.description] }
        if let longestAnswer { own += ["max_new_tokens", "\(longestAnswer)"] }
        digest = Self.digest(
            [
                "prompt template 1", id, task.rawValue, kind.rawValue,
                media.map(\.rawValue).joined(separator: ","), text.source, grammar.rawValue,
                answerPrefix,
            ] + choices.digestFields + own
        )
    }

    /// Which frames of a video are shown, unless the job says otherwise.
    ///
    /// - Parameter usual: The pack's way.
    func sampler(in usual: FrameSampler) -> FrameSampler {
        usual.changed(rule: sampling, count: frames)
    }

    /// The scale of a point score's template; nil for a comparison's.
    package var scale: Scale? {
        if case .scores(_, let scale) = choices { return scale }
        return nil
    }

    /// The content of the user's message: every picture or clip, then one text.
    package func content(filledWith texts: [PromptField: String]) -> [ContentPart] {
        let shown = media.indices.map { task.medium == .image ? ContentPart.image($0) : .video($0) }
        return shown + [.text(text.filled(with: texts))]
    }

    /// Which of the choices a free answer is, word for word; nil when it is none of them.
    ///
    /// A pack may have choices that no grammar reads, such as "A" and "B"; a model that was taught
    /// them writes them exactly.
    func choice(written response: String) -> Int? {
        guard criteria.isEmpty, let answer = AnswerSection.of(response) else { return nil }
        let written = trimmed(answer)
        return choices.texts.firstIndex { trimmed(answerPrefix + $0) == written }
    }

    private static func digest(_ fields: [String]) -> Digest {
        var hash = SHA256()
        for field in fields { hash.update(field: field.utf8) }
        return hash.digest()
    }
}

extension AnswerChoices {
    /// Numbers as their shortest decimal text, which is exact.
    fileprivate var digestFields: [String] {
        switch self {
        case .verdicts(let choices):
            ["verdicts"] + choices.flatMap { [$0.text, $0.verdict.rawValue] }
        case .scores(let choices, let scale):
            ["scores", "\(scale.minimum)", "\(scale.maximum)"]
                + choices.flatMap { [$0.text, "\($0.value)"] }
        }
    }
}

/// A text without the white space around it.
func trimmed(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
        let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return "" }
    return String(scalars[first...last])
}
