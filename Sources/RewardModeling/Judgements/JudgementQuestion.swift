package import Hashing
package import Inference
import Tokenization

/// How an answer is decoded: the part of a fingerprint that concerns decoding.
package enum AnswerDecoding: Sendable, Equatable {
    /// Probabilities of the template's allowed answers.
    case choices
    /// Free text of at most so many tokens, each the most probable one after the penalty for repetition.
    case generate(maximumTokens: Int, decoding: Decoding = .greedy)

    /// The same way with answers of at most so many tokens; nil for as many as it has.
    func limited(to tokens: Int?) -> AnswerDecoding {
        guard let tokens, case .generate(_, let decoding) = self else { return self }
        return .generate(maximumTokens: tokens, decoding: decoding)
    }

    /// The way of answering without its parameters.
    package var mode: AnswerMode { self == .choices ? .choices : .generate }

    /// What is recorded with an answer; nil for choices, where no token is chosen freely.
    package var json: PayloadValue? {
        guard case .generate(let maximumTokens, let decoding) = self else { return nil }
        var fields: [String: PayloadValue] = [
            "max_tokens": .number(Double(maximumTokens)),
            "repetition_penalty": .number(decoding.repetitionPenalty),
        ]
        if decoding.repetitionPenalty != 1 {
            let scope: PackDecoding.Scope = decoding.penalizesPrompt ? .all : .answer
            fields["penalizes"] = .string(scope.rawValue)
        }
        return .object(fields)
    }
}

/// One question to the reward model: everything that determines the numbers of its answer, apart
/// from the engine and the way of decoding.
package struct JudgementQuestion: Sendable {
    /// The words, and how their answer is read.
    package let template: PromptTemplate
    /// In which order the item's two candidates are shown; nil for a point score.
    package let order: PresentationOrder?
    /// What fills the template's fields, as presented.
    package let texts: [PromptField: String]
    /// The pictures in the template's media order, as presented.
    package let images: [EngineImage]
    /// The clips in the template's media order, as presented.
    package let clips: [EngineClip]
    /// The longest free answer, in tokens; nil for as many as all questions are given.
    package let longestAnswer: Int?

    /// Puts a question together; texts, images and clips are what the template asks for.
    package init(
        template: PromptTemplate,
        order: PresentationOrder?,
        texts: [PromptField: String],
        images: [EngineImage] = [],
        clips: [EngineClip] = [],
        longestAnswer: Int? = nil
    ) {
        self.template = template
        self.order = order
        self.texts = texts
        self.images = images
        self.clips = clips
        self.longestAnswer = longestAnswer
    }

    /// The prompt as the engine takes it.
    package var prompt: EnginePrompt {
        let content = template.content(filledWith: texts)
        guard template.clips == .pictures else {
            return EnginePrompt(content: content, images: images, clips: clips)
        }
        var pictures = images
        let shown = content.flatMap { part -> [ContentPart] in
            guard case .video(let slot) = part, clips.indices.contains(slot) else { return [part] }
            let start = pictures.count
            pictures += clips[slot].frames
            return (start..<pictures.count).map { .image($0) }
        }
        return EnginePrompt(content: shown, images: pictures)
    }

    /// The name under which the answer is recorded and found again: SHA-256 over the
    /// length-prefixed fields of everything the answer depends on. Two questions with one
    /// fingerprint have one answer.
    ///
    /// The order is part of it although pictures and clips are hashed as presented already. Verdicts are
    /// recorded in item order, and an item and its mirror image would otherwise share a record that
    /// is right for one of them only.
    /// - Parameter scope: Mixed in when answers may not be shared beyond one job (`reuse: false`).
    package func fingerprint(
        engine: any AnswerEngine,
        decoding: AnswerDecoding,
        scope: String?
    ) -> Digest {
        var hash = SHA256()
        func add(_ text: String) { hash.update(field: text.utf8) }
        add("judgement 1")
        hash.update(field: engine.modelDigest.bytes)
        add(engine.identity)
        hash.update(field: template.digest.bytes)
        add(template.kind.rawValue)
        switch decoding {
        case .choices: add("choices")
        case .generate(let maximumTokens, let decoding):
            add("generate \(maximumTokens)")
            if decoding != .greedy {
                // No order has this name, and answers without a penalty keep the fingerprints they had.
                let scope = decoding.penalizesPrompt ? "all" : "answer"
                add("repetition penalty \(decoding.repetitionPenalty) \(scope)")
            }
        }
        add(order?.rawValue ?? "")
        add("\(images.count)")
        for image in images { hash.update(field: image.digest.bytes) }
        if !clips.isEmpty {
            // No field has this name, and questions without clips keep the fingerprints they had.
            add("clips \(clips.count)")
            for clip in clips { hash.update(field: clip.digest.bytes) }
        }
        for field in PromptField.allCases {
            guard let text = texts[field] else { continue }
            add(field.rawValue)
            add(text)
        }
        if let scope {
            add("scope")
            add(scope)
        }
        return hash.digest()
    }
}
