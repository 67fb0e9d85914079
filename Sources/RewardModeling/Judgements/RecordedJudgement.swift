package import Hashing

/// One question to the reward model with its answer, as the `judgement` table keeps it: the atom of
/// work and of checkpointing.
///
/// `verdict` and `probabilities` are in *item* order: `first` is the item's first candidate,
/// whichever was shown first. `order` says how they were shown, and `rawResponse` speaks of them as
/// shown: the text "Image 1 is better than Image 2." under `second_first` goes with the verdict
/// `second`.
package struct RecordedJudgement: Sendable, Equatable {
    /// The primary key; see `JudgementQuestion.fingerprint`.
    package let fingerprint: Digest
    /// Whether it scores one candidate or compares two.
    package let kind: QuestionKind
    /// What is judged.
    package let task: JudgingTask
    /// The name of the template, for people.
    package let templateID: String
    /// The template itself.
    package let templateDigest: Digest
    /// How the answer was got.
    package let answerMode: AnswerMode
    /// How a pair was shown; nil for a point score.
    package let order: PresentationOrder?
    /// What the model wrote, U+0000 replaced by U+FFFD since PostgreSQL's `text` cannot hold it.
    /// For `choices`, where nothing is written, the most probable allowed answer with its prefix.
    package let rawResponse: String
    /// A comparison's verdict in item order, or `unparsed` for either kind. Nil for a parsed score.
    package let verdict: Verdict?
    /// A point score within its scale; nil for a comparison and when unparsed.
    package let score: Double?
    /// The least score of the template; nil for a comparison.
    package let scaleMinimum: Double?
    /// The greatest score of the template; nil for a comparison.
    package let scaleMaximum: Double?
    /// The standard deviation of the score over the probabilities; nil for generated answers.
    package let spread: Double?
    /// Each criterion's numbers, in item order; empty for an answer that is one choice.
    package let criteria: [CriterionReading]
    /// Probability by verdict (`first`, `second`, `tie`; item order) or by numeral; empty for
    /// generated answers.
    package let probabilities: [String: Double]
    /// How the tokens of a generated answer were chosen; nil for `choices`.
    package let decoding: PayloadValue?
    /// The length of the prompt with its pictures.
    package let promptTokens: Int
    /// 0 for `choices`.
    package let generatedTokens: Int
    /// How long the engine worked on it.
    package let seconds: Double

    /// A row of the table.
    package init(
        fingerprint: Digest,
        kind: QuestionKind,
        task: JudgingTask,
        templateID: String,
        templateDigest: Digest,
        answerMode: AnswerMode,
        order: PresentationOrder?,
        rawResponse: String,
        verdict: Verdict?,
        score: Double?,
        scaleMinimum: Double?,
        scaleMaximum: Double?,
        spread: Double?,
        criteria: [CriterionReading] = [],
        probabilities: [String: Double],
        decoding: PayloadValue? = nil,
        promptTokens: Int,
        generatedTokens: Int,
        seconds: Double
    ) {
        self.fingerprint = fingerprint
        self.kind = kind
        self.task = task
        self.templateID = templateID
        self.templateDigest = templateDigest
        self.answerMode = answerMode
        self.order = order
        self.rawResponse = rawResponse
        self.verdict = verdict
        self.score = score
        self.scaleMinimum = scaleMinimum
        self.scaleMaximum = scaleMaximum
        self.spread = spread
        self.criteria = criteria
        self.probabilities = probabilities
        self.decoding = decoding
        self.promptTokens = promptTokens
        self.generatedTokens = generatedTokens
        self.seconds = seconds
    }

    /// Whether the model's answer could not be read.
    package var isUnparsed: Bool { verdict == .unparsed }

    /// Whether a record found under a question's fingerprint can stand for its answer. Anything
    /// else (a row another version wrote, say) is asked again rather than believed.
    func answers(_ question: JudgementQuestion) -> Bool {
        guard kind == question.template.kind, order == question.order else { return false }
        guard probabilities.values.allSatisfy(\.isFinite), spread?.isFinite ?? true else {
            return false
        }
        if isUnparsed { return true }
        let names = question.template.criteria.map(\.name)
        guard names.isEmpty || criteria.map(\.name) == names else { return false }
        if kind == .pairScore {
            return verdict != nil && verdict == CriteriaMean.verdict(criteria)
        }
        switch question.template.choices {
        case .verdicts: return verdict != nil
        case .scores(_, let scale):
            return scaleMinimum == scale.minimum && scaleMaximum == scale.maximum
                && score.flatMap { Score($0, on: scale) } != nil
        }
    }
}

/// Where judgements are kept: in the daemon, the `judgement` table behind its checkpoints.
package protocol JudgementLedger: Sendable {
    /// The judgements recorded under these fingerprints, by any job; those unknown are left out.
    func recall(_ fingerprints: [Digest]) async throws -> [Digest: RecordedJudgement]

    /// Takes one judgement as soon as it has ended. The same fingerprint may come twice; the first
    /// stays. Errors thrown here are the daemon's and are rethrown through the whole item.
    func record(_ judgement: RecordedJudgement) async throws
}
