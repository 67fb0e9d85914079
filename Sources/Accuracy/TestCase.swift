import RewardModeling

/// What a test case is about, so that weaknesses show.
struct CaseLabels: Sendable, Equatable {
    /// How the scene is put together, as in "relation".
    var composition: String
    /// What the question asks for, as in "colour"; nil for generation.
    var question: String?
    /// What is wrong with the worse of a pair and not with the better, as in "wrong colour" or
    /// "mild blur"; empty for understanding.
    var causes: [String] = []
}

/// A `pair_rank` item whose verdict is known.
struct PairCase: Sendable, Equatable {
    /// JSON.
    let payload: String
    /// `first` or `second`: the true grades differ.
    let verdict: Verdict
    /// By how much they differ, 1…4.
    let margin: Int
    let labels: CaseLabels
}

/// A `point_score` item whose grade is known.
struct PointCase: Sendable, Equatable {
    /// JSON.
    let payload: String
    /// 1…5.
    let grade: Int
    let labels: CaseLabels
}

/// A `build_pairs` item whose candidates' grades are known.
struct ListCase: Sendable, Equatable {
    /// JSON.
    let payload: String
    /// 1…5, by candidate.
    let grades: [Int]
    let labels: CaseLabels
}

/// What is asked about one group of scenes.
struct TestGroup: Sendable {
    /// The pictures that the payloads name.
    let media: SceneMedia
    var pairs: [PairCase] = []
    var points: [PointCase] = []
    var list: ListCase?
}
