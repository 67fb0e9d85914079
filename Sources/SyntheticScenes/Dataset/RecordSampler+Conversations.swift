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
    /// another trait. Objects of a clip that changes its sizes have none to name.
    ///
    /// - frames: of a clip.
    mutating func maps(count: Int, frames: Int) -> [SceneRecord.Body] {
        let others = SceneMap.Trait.allCases.filter {
            $0 != .shapes && ($0 != .sizes || group.composition != .resizing)
        }
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

    // MARK: - Reasons

    /// What is wrong with a picture for a caption, in words: a grade is the number of these reasons,
    /// and naming them is easier to learn than counting them.
    mutating func explainedMedia(count: Int) -> [SceneRecord.Body] {
        scoredMedia(count: count).compactMap { body in
            guard case .scoredMedia(let text, let variant, _) = body else { return nil }
            return explained(text, variants: [variant], noun: noun, of: variant)
        }
    }

    /// The same for either of two pictures that are shown together, as a comparison shows them.
    mutating func explainedComparisons(count: Int, together: Int? = nil) -> [SceneRecord.Body] {
        comparedMedia(count: count, together: together).compactMap { body in
            guard case .comparedMedia(let text, let first, let second, _, _) = body else {
                return nil
            }
            let place = random.below(2)
            return explained(
                text,
                variants: [first, second],
                noun: "\(noun) \(place + 1)",
                of: [first, second][place]
            )
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
                prompt: "\(question)\n1: \(first)\n2: \(second)\nScore of answer \(place + 1)?",
                response: "\(grade)"
            )
        }
    }

    private var noun: String { group.composition.isClip ? "video" : "image" }

    private func explained(
        _ text: String,
        variants: [Int],
        noun: String,
        of variant: Int
    ) -> SceneRecord.Body? {
        guard let caption = group.captions.joined().first(where: { $0.text == text }) else {
            return nil
        }
        let reason = group.grade(caption, ofPicture: variant).reason
        return .conversation(
            variants: variants,
            prompt: "\(text)\nWhat is wrong with \(noun)?",
            response: NounPhrase.capitalised(reason) + "."
        )
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
