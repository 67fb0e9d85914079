import Hashing
import PreferencePairs
import Testing

@testable import RewardModeling

@Suite("Comparison plans")
struct ComparisonPlanTests {
    @Test("neighbours are compared, and an odd one is left over", arguments: 0...65)
    func paired(count: Int) {
        let plan = ComparisonPlan.paired(candidates: count)
        #expect(plan.comparisons.count == count / 2)
        #expect(plan.unpaired == (count % 2 == 1 ? [count - 1] : []))
        let all = plan.comparisons.flatMap { [$0.first, $0.second] } + plan.unpaired
        #expect(all == Array(0..<count))
    }
}

@Suite("Building pairs")
struct PairBuilderTests {
    private static let unparsed = ItemFailure(code: "unparsed", message: "got \"?\"")
    private static let tooLong = ItemFailure(code: "prompt_too_long", message: "9 over 8")

    /// `verdicts`: one letter a comparison: f first, s second, t tie, u unparsed, x too long.
    /// `scores`: nil unparsed, negative too long.
    private func build(
        _ verdicts: String,
        _ scores: [Double?],
        minimum: Double = 0
    ) throws -> PairBuilding {
        let plan = ComparisonPlan.paired(candidates: scores.count)
        let comparisons = zip(plan.comparisons, verdicts).map { comparison, letter in
            ComparisonOutcome(
                comparison: comparison,
                outcome: Self.outcome(letter, comparison.first)
            )
        }
        return PairBuilder(
            candidates: scores.indices.map { .media(.image(.path("\($0).png"))) },
            comparisons: comparisons,
            scores: try scores.enumerated().map { try Self.point($1, $0) },
            marginMinimum: minimum
        ).build()
    }

    private static func outcome(_ letter: Character, _ index: Int) -> PairOutcome {
        let digest = SHA256.digest("comparison \(index)".utf8)
        switch letter {
        case "u": return .failed(unparsed, judgements: [digest])
        case "x": return .failed(tooLong, judgements: [])
        default:
            let verdict: Verdict = letter == "f" ? .first : letter == "s" ? .second : .tie
            let judgement = RecordedJudgement(
                fingerprint: digest,
                kind: .pairRank,
                task: .imageGeneration,
                templateID: "t",
                templateDigest: digest,
                answerMode: .generate,
                order: .firstSecond,
                rawResponse: "",
                verdict: verdict,
                score: nil,
                scaleMinimum: nil,
                scaleMaximum: nil,
                spread: nil,
                probabilities: [:],
                promptTokens: 0,
                generatedTokens: 0,
                seconds: 0
            )
            return .compared(PositionSwap([judgement]), judgements: [digest])
        }
    }

    private static func point(_ score: Double?, _ index: Int) throws -> PointOutcome {
        guard let score else { return .failed(unparsed, judgements: []) }
        if score < 0 { return .failed(tooLong, judgements: []) }
        let scale = try #require(Scale(minimum: 1, maximum: 5))
        return .scored(
            PointScore(
                score: try #require(Score(score, on: scale)),
                spread: nil,
                probabilities: [:],
                judgements: [SHA256.digest("score \(index)".utf8)],
                isReused: false
            )
        )
    }

    struct Case: Sendable, CustomStringConvertible {
        let verdicts: String
        let scores: [Double?]
        /// "chosen>rejected", a reason, or "!code" for a failed item.
        let result: String
        var minimum = 0.0
        var description: String { "\(verdicts) \(scores) → \(result)" }
    }

    static let cases: [Case] = [
        Case(verdicts: "fs", scores: [4, 2, 1, 5], result: "3>2"),
        Case(verdicts: "fs", scores: [4, 1, 2, 3], result: "0>1"),
        Case(verdicts: "ff", scores: [3, 2, 3, 2], result: "0>1"),
        // A tie puts neither in a list, however they score.
        Case(verdicts: "tf", scores: [5, 1, 3, 2], result: "2>3"),
        // The odd one belongs to neither list, however it scores.
        Case(verdicts: "f", scores: [3, 2, 5], result: "0>1"),
        Case(verdicts: "tt", scores: [5, 1, 5, 1], result: "all_comparisons_tied"),
        Case(verdicts: "tu", scores: [5, 1, 5, 1], result: "unparsed_comparisons"),
        Case(verdicts: "tux", scores: [5, 1, 5, 1, 5, 1], result: "failed_comparisons"),
        Case(verdicts: "uu", scores: [5, 1, 5, 1], result: "!unparsed"),
        Case(verdicts: "xu", scores: [5, 1, 5, 1], result: "!prompt_too_long"),
        // A failed comparison does not stop the others.
        Case(verdicts: "uf", scores: [5, 1, 4, 2], result: "2>3"),
        // A candidate without a score is left out; an unparsed score is no 0.
        Case(verdicts: "ff", scores: [nil, 3, 4, nil], result: "2>1"),
        Case(verdicts: "f", scores: [nil, 3], result: "unparsed_scores"),
        Case(verdicts: "f", scores: [3, nil], result: "unparsed_scores"),
        Case(verdicts: "f", scores: [3, -1], result: "failed_scores"),
        Case(verdicts: "ff", scores: [3, nil, 3, -1], result: "failed_scores"),
        Case(verdicts: "f", scores: [nil, nil], result: "!unparsed"),
        Case(verdicts: "f", scores: [-1, nil], result: "!prompt_too_long"),
        Case(verdicts: "f", scores: [nil, nil, 3], result: "!unparsed"),
        Case(verdicts: "f", scores: [2, 3], result: "chosen_not_above_rejected"),
        Case(verdicts: "f", scores: [3, 3], result: "chosen_not_above_rejected"),
        Case(verdicts: "f", scores: [3, 2], result: "margin_below_minimum", minimum: 1),
        Case(verdicts: "f", scores: [3.25, 2], result: "0>1", minimum: 1),
    ]

    @Test("every way an item can end", arguments: cases)
    func ends(sample: Case) throws {
        switch try build(sample.verdicts, sample.scores, minimum: sample.minimum) {
        case .pair(let pair):
            #expect("\(pair.chosenIndex)>\(pair.rejectedIndex)" == sample.result)
            #expect(pair.margin == pair.chosenScore - pair.rejectedScore)
            #expect(pair.chosen == .media(.image(.path("\(pair.chosenIndex).png"))))
        case .noPair(let reason): #expect(reason.rawValue == sample.result)
        case .failed(let failure): #expect("!\(failure.code)" == sample.result)
        }
    }

    @Test("a pair names the judgements it rests on, and only those")
    func evidence() throws {
        guard case .pair(let pair) = try build("ffs", [3, 2, 5, 4, 1, 2]) else {
            Issue.record("expected a pair")
            return
        }
        #expect(pair.chosenIndex == 2 && pair.rejectedIndex == 4)
        #expect(
            pair.evidence.comparisons.map(\.comparison) == [
                Comparison(first: 2, second: 3), Comparison(first: 4, second: 5),
            ]
        )
        #expect(pair.evidence.chosenScore == [SHA256.digest("score 2".utf8)])
        #expect(pair.evidence.rejectedScore == [SHA256.digest("score 4".utf8)])
        #expect(
            pair.json.json.hasPrefix(
                #"{"chosen":"2.png","chosen_index":2,"chosen_score":5,"evidence":{"chosen_score":["#
            )
        )
    }
}
