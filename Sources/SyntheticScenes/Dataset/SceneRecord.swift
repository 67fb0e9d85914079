/// What a record trains or measures; the raw values are the names in dataset files.
package enum SceneTask: String, CaseIterable, Sendable {
    case imageGeneration = "image_generation"
    case imageUnderstanding = "image_understanding"
    case videoGeneration = "video_generation"
    case videoUnderstanding = "video_understanding"

    /// Whether the task is about clips.
    package var isOfClips: Bool { self == .videoGeneration || self == .videoUnderstanding }
    /// Whether pictures are graded against a caption, not answers about a picture.
    package var isGeneration: Bool { self == .imageGeneration || self == .videoGeneration }
}

/// Which of two is better.
package enum SceneVerdict: String, Sendable {
    case first, second
}

/// One line of a dataset. Pictures and clips are named by the number of the variant of the group.
package struct SceneRecord: Sendable, Hashable {
    /// What the line says.
    package enum Body: Sendable, Hashable {
        /// A picture or clip and how well it serves the caption, 1…5.
        case scoredMedia(caption: String, variant: Int, grade: Int)
        /// Two of them for one caption; their grades differ by `margin`.
        case comparedMedia(
            caption: String,
            first: Int,
            second: Int,
            verdict: SceneVerdict,
            margin: Int
        )
        /// An answer about a picture or clip and how good it is, 1…5.
        case scoredAnswer(question: String, variant: Int, answer: String, grade: Int)
        /// Two answers to one question; their grades differ by `margin`.
        case comparedAnswers(
            question: String,
            variant: Int,
            first: String,
            second: String,
            verdict: SceneVerdict,
            margin: Int
        )
        /// A prompt about pictures or clips, shown in this order, and the right response.
        case conversation(variants: [Int], prompt: String, response: String)
    }

    /// Unique in a dataset of one seed: split, group and number in the group.
    package let id: String
    package let task: SceneTask
    package let body: Body

    /// The variants that the record shows.
    package var variants: [Int] {
        switch body {
        case .scoredMedia(_, let variant, _), .scoredAnswer(_, let variant, _, _),
            .comparedAnswers(_, let variant, _, _, _, _):
            [variant]
        case .conversation(let variants, _, _): variants
        case .comparedMedia(_, let first, let second, _, _): [first, second]
        }
    }
}
