/// Draws the records of one group so that grades and margins are spread evenly over a dataset:
/// every record has a wanted grade or margin, which goes round with its number, and takes the
/// nearest that the group offers. The better of two stands first and second by turns.
struct RecordSampler {
    /// Half of the grades of answers are 5 and 1; 2 and 4 occur in descriptions only.
    private static let answerGrades = [5, 1, 3, 4, 1, 5, 2, 3]
    /// Small margins are common.
    private static let margins = [2, 1, 3, 2, 1, 2, 4, 1, 2, 3]
    /// Of answers; margins of 1 and 3 occur between descriptions only, which are one question of many.
    private static let answerMargins = [2, 4, 1, 2, 4, 2, 3, 4, 2, 4]

    let group: SceneGroup
    /// Questions about pictures without severe faults, so that the answer shows.
    let askable: [(variant: Int, question: SceneQuestion, grades: Set<Int>)]
    var random: SeededRandom

    init(group: SceneGroup, random: SeededRandom) {
        self.group = group
        self.random = random
        askable = Self.clear(group).flatMap { variant in
            group.questions[variant].map { (variant, $0, Set($0.answers.map(\.grade))) }
        }
    }

    /// The variants without a severe fault.
    static func clear(_ group: SceneGroup) -> [Int] {
        group.variants.indices.filter { group.variants[$0].quality.severity < 2 }
    }

    // MARK: - Generation

    mutating func scoredMedia(count: Int) -> [SceneRecord.Body] {
        var used: Set<[Int]> = []
        return (0..<count).compactMap { number in
            let wanted = 1 + (group.index * count + number) % 5
            var best: [(from: Int, variant: Int, caption: SceneCaption, grade: Int)] = []
            var nearest = Int.max
            for (from, captions) in group.captions.enumerated() {
                let caption = random.pick(captions)
                for variant in group.variants.indices where !used.contains([from, variant]) {
                    let grade = group.grade(caption, ofPicture: variant).value
                    let distance = (grade - wanted).magnitude
                    if distance < nearest {
                        nearest = Int(distance)
                        best = []
                    }
                    if distance == nearest { best.append((from, variant, caption, grade)) }
                }
            }
            if best.isEmpty { return nil }
            let found = random.pick(best)
            used.insert([found.from, found.variant])
            return .scoredMedia(
                caption: found.caption.text,
                variant: found.variant,
                grade: found.grade
            )
        }
    }

    /// Two of three pairs are decided by what the pictures show: both are equally spoilt, or not
    /// at all. Otherwise a model could do well by looking at faults alone.
    ///
    /// - together: how many different sets of two variants are shown at the most; nil for no limit. A
    ///   trainer encodes two pictures once for all captions they are compared for.
    mutating func comparedMedia(count: Int, together: Int? = nil) -> [SceneRecord.Body] {
        var used: Set<[Int]> = []
        let turn = random.below(2)
        let shown = together.map { couples(atMost: $0) }
        return (0..<count).compactMap { number in
            let wanted = Self.margins[(group.index * count + number) % Self.margins.count]
            let isOfContent = (group.index + number) % 3 != 0
            var open = comparisons().filter { comparison in
                !used.contains(comparison.key)
                    && shown?.contains([comparison.better, comparison.worse]) ?? true
            }
            if isOfContent, open.contains(where: \.isOfContent) {
                open = open.filter(\.isOfContent)
            }
            let distances = open.map { ($0.margin - wanted).magnitude }
            guard let nearest = distances.min() else { return nil }
            let found = random.pick(zip(open, distances).filter { $0.1 == nearest }.map(\.0))
            used.insert(found.key)
            let isFirst = (number + turn).isMultiple(of: 2)
            return .comparedMedia(
                caption: found.caption.text,
                first: isFirst ? found.better : found.worse,
                second: isFirst ? found.worse : found.better,
                verdict: isFirst ? .first : .second,
                margin: found.margin
            )
        }
    }

    /// Some sets of two variants, as index sets.
    private mutating func couples(atMost count: Int) -> Set<Set<Int>> {
        let all = group.variants.indices.flatMap { one in
            (one + 1..<group.variants.count).map { Set([one, $0]) }
        }
        return Set(random.shuffled(all).prefix(count))
    }

    private struct Comparison {
        let from: Int
        let caption: SceneCaption
        let better: Int
        let worse: Int
        let margin: Int
        let isOfContent: Bool

        var key: [Int] { [from, better, worse] }
    }

    /// Every two variants that differ for one caption of each variant.
    private mutating func comparisons() -> [Comparison] {
        var found: [Comparison] = []
        let severities = group.variants.map(\.quality.severity)
        for (from, captions) in group.captions.enumerated() {
            let caption = random.pick(captions)
            let grades = group.variants.indices.map { group.grade(caption, ofPicture: $0).value }
            for better in grades.indices {
                for worse in grades.indices where grades[better] > grades[worse] {
                    found.append(
                        Comparison(
                            from: from,
                            caption: caption,
                            better: better,
                            worse: worse,
                            margin: grades[better] - grades[worse],
                            isOfContent: severities[worse] == severities[better]
                        )
                    )
                }
            }
        }
        return found
    }

    // MARK: - Understanding

    mutating func scoredAnswers(count: Int) -> [SceneRecord.Body] {
        var used: Set<Int> = []
        return (0..<count).compactMap { number in
            let place = (group.index * count + number) % Self.answerGrades.count
            let wanted = Self.answerGrades[place]
            let open = askable.indices.filter {
                !used.contains($0) && askable[$0].grades.contains(wanted)
            }
            if open.isEmpty { return nil }
            let chosen = random.pick(open)
            used.insert(chosen)
            let question = askable[chosen].question
            return .scoredAnswer(
                question: question.text,
                variant: askable[chosen].variant,
                answer: random.pick(question.answers.filter { $0.grade == wanted }).text,
                grade: wanted
            )
        }
    }

    mutating func comparedAnswers(count: Int) -> [SceneRecord.Body] {
        var used: Set<Int> = []
        let turn = random.below(2)
        return (0..<count).compactMap { number in
            let place = (group.index * count + number) % Self.answerMargins.count
            let wanted = Self.answerMargins[place]
            let open = askable.indices.filter { index in
                let grades = askable[index].grades
                return !used.contains(index) && grades.contains { grades.contains($0 - wanted) }
            }
            if open.isEmpty { return nil }
            let chosen = random.pick(open)
            used.insert(chosen)
            let question = askable[chosen].question
            let grades = askable[chosen].grades
            let grade = random.pick(grades.filter { grades.contains($0 - wanted) }.sorted())
            let (good, bad) = answers(question, grade, grade - wanted)
            let isFirst = (number + turn).isMultiple(of: 2)
            return .comparedAnswers(
                question: question.text,
                variant: askable[chosen].variant,
                first: isFirst ? good.text : bad.text,
                second: isFirst ? bad.text : good.text,
                verdict: isFirst ? .first : .second,
                margin: wanted
            )
        }
    }

    /// Two answers of these grades, of equally many words if there are such, so that the length
    /// tells nothing.
    private mutating func answers(
        _ question: SceneQuestion,
        _ better: Int,
        _ worse: Int
    ) -> (SceneAnswer, SceneAnswer) {
        let good = random.shuffled(question.answers.filter { $0.grade == better })
        let bad = random.shuffled(question.answers.filter { $0.grade == worse })
        for answer in good {
            if let other = bad.first(where: { $0.wordCount == answer.wordCount }) {
                return (answer, other)
            }
        }
        return (good[0], bad[0])
    }
}
