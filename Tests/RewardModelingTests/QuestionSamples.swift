import Hashing
import RewardModeling

/// Questions as tests ask them.
enum QuestionSamples {
    /// The built-in pack, read once: it is the same for every test.
    static let pack = Result { () throws(RewardModelingError) in try PromptPack.builtin() }

    static func pair(
        _ order: PresentationOrder = .firstSecond,
        caption: String = "a red cube"
    ) throws -> JudgementQuestion {
        let shown = order == .firstSecond ? ["a.png", "b.png"] : ["b.png", "a.png"]
        return JudgementQuestion(
            template: try pack.get().template(.imageGeneration, .pairRank),
            order: order,
            texts: [.caption: caption],
            images: try shown.map(picture)
        )
    }

    static func point(_ response: String = "two dogs") throws -> JudgementQuestion {
        JudgementQuestion(
            template: try pack.get().template(.imageUnderstanding, .pointScore),
            order: nil,
            texts: [.question: "How many dogs?", .response: response],
            images: [try picture("dogs.png")]
        )
    }
}

extension RecordedJudgement {
    /// A judgement with the fields that matter to a test.
    static func sample(
        _ name: String = "x",
        kind: QuestionKind = .pairRank,
        order: PresentationOrder? = nil,
        verdict: Verdict? = nil,
        score: Double? = nil,
        scale: ClosedRange<Double>? = nil,
        probabilities: [String: Double] = [:],
        raw: String = ""
    ) -> RecordedJudgement {
        RecordedJudgement(
            fingerprint: SHA256.digest(name.utf8),
            kind: kind,
            task: .imageGeneration,
            templateID: "sample",
            templateDigest: SHA256.digest("template".utf8),
            answerMode: .choices,
            order: order,
            rawResponse: raw,
            verdict: verdict,
            score: score,
            scaleMinimum: scale?.lowerBound,
            scaleMaximum: scale?.upperBound,
            spread: nil,
            probabilities: probabilities,
            promptTokens: 1,
            generatedTokens: 0,
            seconds: 0
        )
    }

    /// The same judgement under another fingerprint.
    func filed(under fingerprint: Digest) -> RecordedJudgement {
        RecordedJudgement(
            fingerprint: fingerprint,
            kind: kind,
            task: task,
            templateID: templateID,
            templateDigest: templateDigest,
            answerMode: answerMode,
            order: order,
            rawResponse: rawResponse,
            verdict: verdict,
            score: score,
            scaleMinimum: scaleMinimum,
            scaleMaximum: scaleMaximum,
            spread: spread,
            probabilities: probabilities,
            promptTokens: promptTokens,
            generatedTokens: generatedTokens,
            seconds: seconds
        )
    }
}
