/// What a job asks of every one of its items. The raw values are the words of the SQL functions.
package enum JudgingKind: String, Sendable, CaseIterable {
    /// One candidate, one score.
    case pointScore = "point_score"
    /// Two candidates, one verdict.
    case pairRank = "pair_rank"
    /// Two candidates, two numbers for each criterion.
    case pairScore = "pair_score"
    /// Many candidates: pair ranking, then point sifting, to one preference pair.
    case buildPairs = "build_pairs"

    /// The tasks a job of this kind can have: two numbers for each criterion are asked about what was
    /// made, not about answers.
    package var tasks: [JudgingTask] {
        self == .pairScore ? JudgingTask.allCases.filter(\.judgesMedia) : JudgingTask.allCases
    }
}

/// What is being judged. The raw values are the words of the SQL functions.
package enum JudgingTask: String, Sendable, CaseIterable {
    /// Pictures made from a caption: the candidates are pictures.
    case imageGeneration = "image_generation"
    /// Answers to a question about a picture: the candidates are texts.
    case imageUnderstanding = "image_understanding"
    /// Clips made from a caption: the candidates are clips.
    case videoGeneration = "video_generation"
    /// Answers to a question about a clip: the candidates are texts.
    case videoUnderstanding = "video_understanding"
    /// Pictures made from a picture by an instruction: the candidates are pictures.
    case imageEditing = "image_editing"

    /// What the model is shown.
    package var medium: Medium {
        switch self {
        case .imageGeneration, .imageUnderstanding, .imageEditing: .image
        case .videoGeneration, .videoUnderstanding: .video
        }
    }

    /// Whether the candidates are what is shown, made from a caption or by an edit. Otherwise they are answers to
    /// a question about the one thing shown.
    package var judgesMedia: Bool {
        switch self {
        case .imageGeneration, .videoGeneration, .imageEditing: true
        case .imageUnderstanding, .videoUnderstanding: false
        }
    }
}

/// What a task shows the model. The raw values are the fields of payloads that hold one.
package enum Medium: String, Sendable {
    /// A picture.
    case image
    /// A clip: the frames of a video, in the order of time.
    case video
}

/// The kind of one question to the reward model: jobs of every kind are made of these.
package enum QuestionKind: String, Sendable, CaseIterable {
    /// How good is this candidate?
    case pointScore = "point_score"
    /// Which of these two candidates is better?
    case pairRank = "pair_rank"
    /// How good is each of these two candidates, by each criterion?
    case pairScore = "pair_score"
}

/// How an answer is got from the model.
package enum AnswerMode: String, Sendable, CaseIterable {
    /// No free text: the probability of each allowed answer is read from the logits.
    case choices
    /// Free text, then a parser.
    case generate
}
