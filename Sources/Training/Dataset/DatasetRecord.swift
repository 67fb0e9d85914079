package import RewardModeling

/// One line of a training dataset: what is shown, and the answer the model should give.
///
/// The shapes are those of the judging payloads with the truth beside them, so that what a job judged
/// and a person corrected can be trained on as it stands.
package struct DatasetRecord: Sendable, Equatable {
    /// What a line teaches.
    package enum Content: Sendable, Equatable {
        /// A candidate and its score on a scale.
        case point(ItemPayload, score: Double, scale: Scale?)
        /// Two candidates and which is better.
        case pair(ItemPayload, Verdict)
        /// Pictures or clips, what is asked, and what should be answered word for word.
        case conversation(shown: [VisualReference], prompt: String, response: String)
    }

    /// Which part of the data a line belongs to.
    package enum Split: String, Sendable, CaseIterable {
        case train
        case validation
    }

    /// Counted from 1.
    package let line: Int
    /// The caller's own name for the record.
    package let id: String?
    /// What is judged.
    package let task: JudgingTask
    /// Nil when the dataset leaves it to the run.
    package let split: Split?
    /// What the line teaches.
    package let content: Content

    /// The kind of question the line answers; nil for a conversation.
    package var kind: QuestionKind? {
        switch content {
        case .point: .pointScore
        case .pair: .pairRank
        case .conversation: nil
        }
    }

    /// What progress reports call records like this one: `image_generation/pair_rank`.
    package var group: String {
        "\(task.rawValue)/\(kind?.rawValue ?? "conversation")"
    }

    /// Every picture and clip the line shows, in the payload's order.
    package var shown: [VisualReference] {
        switch content {
        case .point(let payload, _, _), .pair(let payload, _): payload.shown
        case .conversation(let shown, _, _): shown
        }
    }
}

extension ItemPayload {
    /// Every picture and clip of the item: of the context first, then of the candidates.
    fileprivate var shown: [VisualReference] {
        var references: [VisualReference] = []
        if case .understanding(_, let reference) = context { references.append(reference) }
        for case .media(let reference) in candidates { references.append(reference) }
        return references
    }
}
