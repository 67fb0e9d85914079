/// What a job asks of every one of its items. The raw values are the words of the SQL functions.
package enum JudgingKind: String, Sendable, CaseIterable {
    /// One candidate, one score.
    case pointScore = "point_score"
    /// Two candidates, one verdict.
    case pairRank = "pair_rank"
    /// Many candidates: pair ranking, then point sifting, to one preference pair.
    case buildPairs = "build_pairs"
}

/// What is being judged. The raw values are the words of the SQL functions.
package enum JudgingTask: String, Sendable, CaseIterable {
    /// Pictures made from a caption: the candidates are pictures.
    case imageGeneration = "image_generation"
    /// Answers to a question about a picture: the candidates are texts.
    case imageUnderstanding = "image_understanding"
}

/// The kind of one question to the reward model: jobs of every kind are made of these two.
package enum QuestionKind: String, Sendable, CaseIterable {
    /// How good is this candidate?
    case pointScore = "point_score"
    /// Which of these two candidates is better?
    case pairRank = "pair_rank"
}

/// How an answer is got from the model.
package enum AnswerMode: String, Sendable, CaseIterable {
    /// No free text: the probability of each allowed answer is read from the logits.
    case choices
    /// Free text, then a parser.
    case generate
}
