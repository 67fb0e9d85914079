/// A place in an answer with several numbers where one of them stands.
struct AnswerSlot: Sendable, Equatable {
    /// The text between the number before and this one.
    let lead: String
    /// Which criterion it is of.
    let criterion: Int
    /// Whose number it is; nil for a single candidate.
    let side: Verdict?
}

extension PromptTemplate {
    /// The places of an answer's numbers in order; none for an answer that is one choice.
    ///
    /// Answering by choices walks over them: the number before is written as the most probable
    /// numeral, then the next place's numerals are weighed.
    var slots: [AnswerSlot] {
        switch grammar {
        case .betterStatement, .finalScore, .rubric: []
        case .criteriaScores:
            criteria.indices.map { index in
                AnswerSlot(
                    lead: (index == 0 ? answerPrefix : "\n") + criteria[index].label + ": ",
                    criterion: index,
                    side: nil
                )
            }
        case .scoreList:
            criteria.indices.map { index in
                AnswerSlot(
                    lead: index == 0 ? answerPrefix + "{\"score\": [" : ", ",
                    criterion: index,
                    side: nil
                )
            }
        case .pairScores, .twoNumbers:
            criteria.indices.flatMap { index in
                let heading = grammar == .pairScores ? criteria[index].label + ":\n " : ""
                return [
                    AnswerSlot(
                        lead: (index == 0 ? answerPrefix : "\n\n") + heading + "\(noun) 1: ",
                        criterion: index,
                        side: .first
                    ),
                    AnswerSlot(lead: "\n \(noun) 2: ", criterion: index, side: .second),
                ]
            }
        }
    }

    /// What follows the last number.
    var answerEnd: String { grammar == .scoreList ? "]}" : "" }

    private var noun: String { task.medium == .video ? "Video" : "Image" }
}
