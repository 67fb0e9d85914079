import Inference

/// Makes the questions about one item's candidates.
package struct ItemQuestions: Sendable {
    private let payload: ItemPayload
    private let media: ItemMedia
    private let task: JudgingTask
    private let pack: PromptPack
    private let options: JudgingOptions

    /// - Parameters:
    ///   - media: The pictures and clips loaded for the same payload, in the views that the options and the
    ///     pack give the templates.
    ///   - options: Which templates are used, and which frames of videos are shown.
    package init(
        payload: ItemPayload,
        media: ItemMedia,
        task: JudgingTask,
        pack: PromptPack,
        options: JudgingOptions = JudgingOptions()
    ) {
        self.payload = payload
        self.media = media
        self.task = task
        self.pack = pack
        self.options = options
    }

    /// How good is this candidate? Throws `.missingTemplate`.
    package func pointScore(candidate: Int) throws(RewardModelingError) -> JudgementQuestion {
        let template = try pack.template(task, .pointScore, preferring: options.templates)
        var texts = contextTexts
        var shown =
            template.media.contains(.edited) && !template.media.contains(.source)
            ? [] : contextVisuals
        switch payload.candidates[candidate] {
        case .media(let reference): shown.append(reference)
        case .response(let text): texts[.response] = text
        }
        return question(template, order: nil, texts: texts, showing: shown)
    }

    /// Which of these two candidates is better? The verdict of its answer is about `first` and
    /// `second` as given here, however they are shown. Throws `.missingTemplate`.
    package func pairRank(
        first: Int,
        second: Int,
        order: PresentationOrder
    ) throws(RewardModelingError) -> JudgementQuestion {
        try comparison(.pairRank, first: first, second: second, order: order)
    }

    /// How good is each of these two candidates, by each criterion? As for `pairRank`.
    package func pairScore(
        first: Int,
        second: Int,
        order: PresentationOrder
    ) throws(RewardModelingError) -> JudgementQuestion {
        try comparison(.pairScore, first: first, second: second, order: order)
    }

    private func comparison(
        _ kind: QuestionKind,
        first: Int,
        second: Int,
        order: PresentationOrder
    ) throws(RewardModelingError) -> JudgementQuestion {
        let template = try pack.template(task, kind, preferring: options.templates)
        let presented = order == .firstSecond ? [first, second] : [second, first]
        var texts = contextTexts
        var shown = contextVisuals
        for (index, field) in zip(presented, [PromptField.first, .second]) {
            switch payload.candidates[index] {
            case .media(let reference): shown.append(reference)
            case .response(let text): texts[field] = text
            }
        }
        return question(template, order: order, texts: texts, showing: shown)
    }

    private func question(
        _ template: PromptTemplate,
        order: PresentationOrder?,
        texts: [PromptField: String],
        showing shown: [VisualReference]
    ) -> JudgementQuestion {
        let view = options.view(of: template, in: pack)
        var images: [EngineImage] = []
        var clips: [EngineClip] = []
        for reference in shown {
            switch reference {
            case .image(let file): images.append(media.image(file, in: view))
            case .clip(let frames): clips.append(media.clip(frames, in: view))
            case .video(let file): clips.append(media.video(file, in: view))
            }
        }
        return JudgementQuestion(
            template: template,
            order: order,
            texts: texts,
            images: images,
            clips: clips,
            longestAnswer: options.longestAnswer(to: template)
        )
    }

    private var contextTexts: [PromptField: String] {
        switch payload.context {
        case .generation(let caption): [.caption: caption]
        case .understanding(let question, _): [.question: question]
        case .editing(let instruction, _): [.instruction: instruction]
        }
    }

    private var contextVisuals: [VisualReference] {
        switch payload.context {
        case .generation: []
        case .understanding(_, let reference): [reference]
        case .editing(_, let source): [source]
        }
    }
}
