/// What an answer amounts to, in item order: the part of a `RecordedJudgement` that is read out of
/// the engine's response.
struct AnswerReading: Equatable {
    /// A comparison's verdict, or `unparsed` for either kind; nil for a score.
    var verdict: Verdict?
    /// A value within the template's scale.
    var score: Double?
    /// The standard deviation of the score.
    var spread: Double?
    /// Each criterion's numbers, in item order.
    var criteria: [CriterionReading] = []
    /// By verdict or by numeral; empty when unparsed or generated, and for several criteria.
    var probabilities: [String: Double] = [:]
    /// What is kept as the raw response.
    var rawResponse: String

    /// Reads a free answer. One that was cut off at its longest is unparsed whatever it says: "3"
    /// may be the start of "3.7", and a verdict on one point the start of the weighing.
    init(generated text: String, isComplete: Bool, question: JudgementQuestion) {
        rawResponse = withoutNull(text)
        guard isComplete else {
            verdict = .unparsed
            return
        }
        let template = question.template
        let choice = template.choice(written: text)
        if !template.criteria.isEmpty {
            take(Self.criteria(text, template), of: question)
            return
        }
        if template.grammar == .rubric, choice == nil {
            let rubric = RubricParser.parse(text)
            let presented = rubric?.verdict ?? .unparsed
            verdict = question.order?.inItemOrder(presented) ?? presented
            criteria = rubric?.criteria.map { $0.inItemOrder(question.order) } ?? []
            return
        }
        switch template.choices {
        case .verdicts(let choices):
            let presented = choice.map { choices[$0].verdict } ?? PairRankParser.parse(text)
            verdict = question.order?.inItemOrder(presented) ?? presented
        case .scores(let choices, let scale):
            score =
                choice.map { choices[$0].value }
                ?? PointScoreParser.parse(text, scale: scale)?.value
            verdict = score == nil ? .unparsed : nil
        }
    }

    /// Takes what a walk over an answer's numbers found, as presented: nil for probabilities that are
    /// none, which are unparsed.
    init(
        written: String,
        criteria readings: [CriterionReading]?,
        spread: Double?,
        question: JudgementQuestion
    ) {
        rawResponse = written
        take(readings, of: question)
        if readings != nil, question.template.kind == .pointScore { self.spread = spread }
    }

    private mutating func take(_ readings: [CriterionReading]?, of question: JudgementQuestion) {
        guard let readings else {
            verdict = .unparsed
            return
        }
        criteria = readings.map { $0.inItemOrder(question.order) }
        if question.template.kind == .pairScore {
            verdict = CriteriaMean.verdict(criteria)
        } else {
            score = CriteriaMean.score(criteria)
            if score == nil { verdict = .unparsed }
        }
    }

    /// The numbers of a free answer to a template with criteria, as presented.
    private static func criteria(
        _ text: String,
        _ template: PromptTemplate
    ) -> [CriterionReading]? {
        guard let scale = template.scale, let first = template.criteria.first else { return nil }
        switch template.grammar {
        case .criteriaScores:
            return CriteriaParser.scores(text, criteria: template.criteria, scale: scale)
        case .scoreList:
            return CriteriaParser.scoreList(text, criteria: template.criteria, scale: scale)
        case .pairScores:
            return CriteriaParser.pairScores(text, criteria: template.criteria, scale: scale)
        case .twoNumbers: return CriteriaParser.twoNumbers(text, criterion: first, scale: scale)
        case .betterStatement, .finalScore, .rubric: return nil
        }
    }

    /// Reads the probabilities of the template's choices, in their order.
    ///
    /// Probabilities that are none (a model whose arithmetic overflowed gives `nan`) are unparsed.
    /// Throws `.engineFault` when there are not as many as choices.
    init(
        probabilities: [Double],
        question: JudgementQuestion
    ) throws(RewardModelingError) {
        let template = question.template
        let texts = template.choices.texts
        guard probabilities.count == texts.count else {
            throw .engineFault(
                "engine: expected \(texts.count) probabilities for template "
                    + "\(quoted(template.id)), got \(probabilities.count)"
            )
        }
        let total = probabilities.reduce(0, +)
        guard Self.areUsable(probabilities) else {
            rawResponse =
                "no usable probabilities: "
                + probabilities.map { "\($0)" }.joined(separator: ", ")
            verdict = .unparsed
            return
        }
        let best = probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
        rawResponse = template.answerPrefix + texts[best]
        switch template.choices {
        case .verdicts(let choices):
            read(choices, probabilities, best: best, order: question.order ?? .firstSecond)
        case .scores(let choices, let scale):
            read(choices, probabilities, total: total, scale: scale)
        }
    }

    /// Whether numbers are probabilities: a model whose arithmetic overflowed gives `nan`.
    static func areUsable(_ probabilities: [Double]) -> Bool {
        probabilities.allSatisfy { $0.isFinite && $0 >= 0 }
            && abs(probabilities.reduce(0, +) - 1) < 1e-3
    }

    /// The most probable verdict. Two that share the highest probability exactly are a tie: letting
    /// the first of them win would favour a place in the list.
    private mutating func read(
        _ choices: [(text: String, verdict: Verdict)],
        _ shares: [Double],
        best: Int,
        order: PresentationOrder
    ) {
        let isShared = shares.count { $0 == shares[best] } > 1
        verdict = isShared ? .tie : order.inItemOrder(choices[best].verdict)
        for (choice, share) in zip(choices, shares) {
            probabilities[order.inItemOrder(choice.verdict).rawValue] = share
        }
    }

    /// The expected value over the numerals and its standard deviation, for shares brought to a sum
    /// of exactly 1. The clamp only takes off what rounding put on: a mean of values on the scale
    /// lies on the scale.
    private mutating func read(
        _ choices: [(text: String, value: Double)],
        _ shares: [Double],
        total: Double,
        scale: Scale
    ) {
        var mean = 0.0
        for (choice, share) in zip(choices, shares) { mean += choice.value * share / total }
        var variance = 0.0
        for (choice, share) in zip(choices, shares) {
            variance += (choice.value - mean) * (choice.value - mean) * share / total
            probabilities[choice.text] = share
        }
        score = min(max(mean, scale.minimum), scale.maximum)
        spread = variance.squareRoot()
    }
}

/// PostgreSQL's `text` and `jsonb` cannot hold U+0000, and a model can write one.
func withoutNull(_ text: String) -> String {
    guard text.utf8.contains(0) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(scalar == "\0" ? "\u{fffd}" : scalar) }
    return String(result)
}
