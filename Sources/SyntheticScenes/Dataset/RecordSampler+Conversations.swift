/// Conversations: what a model learns to see by, and to say what is wrong before it gives a grade.
extension RecordSampler {
    /// Questions with their shortest right answer: what a model learns to see by, before it learns to
    /// judge. One wording for each answer, so that it spends nothing on guessing wordings.
    mutating func answeredQuestions(count: Int) -> [SceneRecord.Body] {
        let asked = askable.filter { $0.question.kind != .description && $0.grades.contains(5) }
        return random.shuffled(asked).prefix(count).compactMap { item in
            let right = item.question.answers.filter { $0.grade == 5 }.map(\.text)
            return right.min { ($0.utf8.count, $0) < ($1.utf8.count, $1) }.map { answer in
                .conversation(
                    variants: [item.variant],
                    prompt: item.question.text,
                    response: answer
                )
            }
        }
    }

    /// Full captions of pictures without severe faults, each picture once.
    mutating func conversations(count: Int) -> [SceneRecord.Body] {
        let noun = group.composition.isClip ? "video" : "picture"
        return random.shuffled(Self.clear(group)).prefix(count).map { variant in
            .conversation(
                variants: [variant],
                prompt: "Describe the \(noun).",
                response: group.fullCaptions[variant].text
            )
        }
    }

    /// Everything about a picture, each picture once, spoilt ones too.
    mutating func inventories(count: Int) -> [SceneRecord.Body] {
        random.shuffled(Array(group.variants.indices)).prefix(count).map { variant in
            .conversation(
                variants: [variant],
                prompt: SceneInventory.prompt,
                response: SceneInventory(group.variants[variant]).text
            )
        }
    }

    /// Two maps of each picture, spoilt ones too: of shapes, which are the hardest to learn, and of
    /// another trait.
    ///
    /// - frames: of a clip.
    mutating func maps(count: Int, frames: Int) -> [SceneRecord.Body] {
        let others = SceneMap.Trait.allCases.filter { $0 != .shapes }
        return random.shuffled(Array(group.variants.indices)).prefix(count).flatMap {
            variant -> [SceneRecord.Body] in
            let scenes = group.scenes(of: variant, count: frames)
            return [.shapes, random.pick(others)].map { trait in
                .conversation(
                    variants: [variant],
                    prompt: trait.prompt,
                    response: SceneMap(trait, of: scenes).text
                )
            }
        }
    }

    /// Where objects lie, of pictures without severe faults; none of equal objects, which no text tells
    /// apart.
    ///
    /// - frames: of a clip.
    mutating func paths(count: Int, frames: Int) -> [SceneRecord.Body] {
        guard count > 0 else { return [] }
        let open = Self.clear(group).flatMap { variant -> [(variant: Int, object: Int)] in
            let content = group.variants[variant].content
            guard content.objectCount == content.objects.count else { return [] }
            return content.objects.indices.map { (variant, $0) }
        }
        return random.shuffled(open).prefix(count).map { variant, object in
            let content = group.variants[variant].content
            let scenes = group.scenes(of: variant, count: frames)
            return .conversation(
                variants: [variant],
                prompt: ScenePath.prompt(for: content.objects[object]),
                response: ScenePath(of: object, in: content, frames: scenes).text
            )
        }
    }

    // MARK: - Reasons

    /// What is wrong with a picture for a caption, in words: a grade is the number of these reasons,
    /// and naming them is easier to learn than counting them.
    mutating func explainedMedia(count: Int) -> [SceneRecord.Body] {
        scoredMedia(count: count).compactMap { body in
            guard case .scoredMedia(let text, let variant, _) = body else { return nil }
            return explained(text, variants: [variant], shown: 1, of: variant)
        }
    }

    /// What is wrong with either of two pictures that are shown together, and by turns the grade of
    /// either after the lines of a comparison, which ends in comparing these two grades.
    mutating func explainedComparisons(count: Int, together: Int? = nil) -> [SceneRecord.Body] {
        comparedMedia(count: count, together: together).enumerated().compactMap { number, body in
            guard case .comparedMedia(let text, let first, let second, _, _) = body else {
                return nil
            }
            let shown = [first, second]
            let place = random.below(2)
            return number.isMultiple(of: 2)
                ? explained(text, variants: shown, shown: place + 1, of: shown[place])
                : graded(text, variants: shown, at: place)
        }
    }

    /// The grade of either of two answers that stand beside each other, as a comparison shows them.
    mutating func gradedComparisons(count: Int) -> [SceneRecord.Body] {
        comparedAnswers(count: count).compactMap { body in
            guard
                case .comparedAnswers(let question, let variant, let first, let second, _, _) = body,
                let asked = group.questions[variant].first(where: { $0.text == question })
            else { return nil }
            let place = random.below(2)
            let text = [first, second][place]
            guard let grade = asked.answers.first(where: { $0.text == text })?.grade else {
                return nil
            }
            return .conversation(
                variants: [variant],
                prompt: """
                    \(question)
                    Answer 1: \(first)
                    Answer 2: \(second)
                    Score of answer \(place + 1)?
                    """,
                response: "\(grade)"
            )
        }
    }

    private var noun: String { group.composition.isClip ? "video" : "image" }

    /// What is wrong with a variant. The prompt begins with the line that stands for the picture in a
    /// comparison, so that what is learnt at the caption's tokens serves both.
    ///
    /// - shown: the place of the variant among those that are shown, from 1.
    private func explained(
        _ text: String,
        variants: [Int],
        shown place: Int,
        of variant: Int
    ) -> SceneRecord.Body? {
        guard let reason = grade(text, of: variant)?.reason else { return nil }
        return .conversation(
            variants: variants,
            prompt: """
                \(line(text, shown: place))
                What is wrong with \(noun) \(place)?
                """,
            response: NounPhrase.capitalised(reason) + "."
        )
    }

    private func graded(_ text: String, variants: [Int], at place: Int) -> SceneRecord.Body? {
        guard let grade = grade(text, of: variants[place]) else { return nil }
        return .conversation(
            variants: variants,
            prompt: """
                \(line(text, shown: 1))
                \(line(text, shown: 2))
                Score of \(noun) \(place + 1)?
                """,
            response: "\(grade.value)"
        )
    }

    /// How a template of the model `scenes` shows a caption for one of the pictures.
    private func line(_ text: String, shown place: Int) -> String {
        "\(NounPhrase.capitalised(noun)) \(place): \(text)"
    }

    private func grade(_ text: String, of variant: Int) -> SceneGrade? {
        group.captions.joined().first { $0.text == text }.map {
            group.grade($0, ofPicture: variant)
        }
    }
}

extension SceneGroup {
    /// Prompts and responses of inventories and reasons about the group: what a tokenizer is trained on
    /// beside captions, questions and answers.
    package func conversationTexts() -> [String] {
        var sampler = RecordSampler(group: self, random: SeededRandom(seed: UInt64(index)))
        let count = variants.count
        let bodies =
            sampler.inventories(count: count) + sampler.maps(count: count, frames: 4)
            + sampler.explainedMedia(count: count)
            + sampler.explainedComparisons(count: count) + sampler.gradedComparisons(count: count)
        return bodies.flatMap { body -> [String] in
            guard case .conversation(_, let prompt, let response) = body else { return [] }
            return [prompt, response]
        }
    }
}
