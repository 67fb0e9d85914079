/// What an answer amounts to, in item order: the part of a `RecordedJudgement` that is read out of
/// the engine's response.
struct AnswerReading: Equatable {
    /// A comparison's verdict, or `unparsed` for either kind; nil for a score.
    var verdict: Verdict?
    /// A value within the template's scale.
    var score: Double?
    /// The standard deviation of the score.
    var spread: Double?
    /// By verdict or by numeral; empty when unparsed or generated.
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
        let choice = question.template.choice(written: text)
        switch question.template.choices {
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
        guard probabilities.allSatisfy({ $0.isFinite && $0 >= 0 }), abs(total - 1) < 1e-3 else {
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
private func withoutNull(_ text: String) -> String {
    guard text.utf8.contains(0) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(scalar == "\0" ? "\u{fffd}" : scalar) }
    return String(result)
}
