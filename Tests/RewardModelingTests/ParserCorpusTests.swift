import RewardModeling
import Testing

/// Answers as models write them and as an adversary would: each line says what may be read of it, and nothing
/// else may. What is unparsed here is asked again by choices; what is misread would be a wrong score.
@Suite("Parsers on a corpus of answers")
struct ParserCorpusTests {
    private static let five = Scale(minimum: 1, maximum: 5)
    private static let ten = Scale(minimum: 1, maximum: 10)
    private static let hundred = Scale(minimum: 0, maximum: 100)

    // MARK: - Comparisons

    private static let comparisons: [(String, Verdict)] = [
        // One point of many is no verdict where there is one about the whole, wherever it stands.
        ("Image 1 is better than Image 2. Image 2 is better in color.", Verdict.first),
        ("Image 2 is better than Image 1. Image 1 is better lit, though.", .second),
        ("Image 2 is better in color, but Image 1 is better overall.", .first),
        ("Image 1 is better than Image 2 in composition. However, Image 2 is better.", .second),
        (
            """
            Image 1 is better at hands. Image 2 is better at faces.\n\n**Image 2 is better \
            than Image 1.** Image 1 is better in contrast only.
            """, .second
        ),
        ("Video 2 is better. Both videos are equally good in motion.", .second),
        ("Both images are equally good. Image 1 is better in sharpness.", .tie),
        ("Answer 1 is better in terms of overall quality. Answer 2 is better worded.", .first),
        ("Image 2 is better in every respect. Image 1 is better in hue.", .second),
        // Only points: a verdict where they agree.
        ("Image 1 is better aligned with the caption.", .first),
        ("Image 1 is better in color. Image 1 is better in shape.", .first),
        ("Image 1 is better in color, Image 2 is better in shape.", .unparsed),
        ("Image 1 is better in color. Overall they differ.", .first),
        // Drafts, tables, Markdown, other languages.
        (
            """
            | | Image 1 | Image 2 |\n|---|---|---|\n| total | 31 | 28 |\n\n\
            ### Verdict\n> **Image 1 is better than Image 2.**
            """, .first
        ),
        ("| Image 1 | 8 |\n| Image 2 | 9 |\n\nWinner: Image 2", .unparsed),
        ("综合来看，Image 2 is better。", .second),
        ("图像1更好。", .unparsed),
        ("画像2の方が良いです。", .unparsed),
        (
            """
            <think>\n1. Semantic consistency: Image 1 (9/10) - good; Image 2 (7/10) - Image 2 is \
            better than nothing.\nTotal score:\nImage 1: 9+8+8+6=31\nImage 2: 7+8+5+8=28\n\
            </think>\n<answer>Image 1 is better</answer>
            """, .first
        ),
        (
            """
            <think>Draft: <answer>Image 1 is better</answer>. No.</think>\n\n<answer>\n Image 2 \
            is better\n</answer>
            """, .second
        ),
        ("<think>a</think><answer>Image 1 is better or Image 2 is better</answer>", .unparsed),
        ("```\nImage 2 is better\n```", .second),
        ("1. Image 1 is better.\n2. I take that back: Image 2 is better.", .second),
        ("Image 1 is definitely better.", .first),
        // Reasons behind an overall judgment.
        (
            "**Overall Judgment:** Answer 2 is better. Answer 1 is better formatted but wrong.",
            .second
        ),
        ("Overall Judgment:\n\nAnswer 1 is better than Answer 2.\n", .first),
        ("Overall Judgment: Answer 1", .unparsed),
        // Nothing is stated.
        ("It is not the case that Image 1 is better.", .unparsed),
        ("I can't say Image 1 is better.", .unparsed),
        ("Image 1 and Image 2 are both fine.", .unparsed),
        ("Image 2 is not significantly better.", .unparsed),
        ("Image 1 would be better with more light.", .unparsed),
        ("[Image 1 is better] / [Image 2 is better] / [equally good]", .unparsed),
        ("Image 1 is better/Image 2 is better", .unparsed),
        ("Score 9/10: Image 1 is better", .first),
    ]

    @Test("verdicts", arguments: comparisons)
    func verdicts(text: String, verdict: Verdict) {
        #expect(PairRankParser.parse(text) == verdict)
    }

    // MARK: - Single scores

    @Test(
        "final scores",
        arguments: [
            ("dog (object): 1\nred (color): 0\nFinal Score: 3.67", five, 3.67),
            ("**Final Score:** **4**/5", five, 4), ("Final Score: [4]", five, 4),
            ("Final Score: <4>", five, 4), ("Final Score： 2.5", five, 2.5),
            ("## Final Score (1-5)\n: 3", five, 3),
            ("Final Score:\n\n\t4.25\n\nThank you.", five, 4.25),
            ("Final Score: 8/10", ten, 8), ("Final Score: 8 (out of 10).", ten, 8),
            ("Final Score: 85 out of 100", hundred, 85), ("final-score: 0", hundred, 0),
            ("Final Score: 2. Wait.\nFinal Score: 4", five, 4),
            ("<think>Final Score: 1</think>Final Score: 5", five, 5),
            ("Final Score: 3.7. 2 objects are missing.", five, 3.7),
            ("Final Score: 4, since the dog is red.", five, 4),
            ("Final Score: 3.000000238418579", five, 3.000000238418579),
            ("Final Score: 5.0000002", five, 5),
            // Which number is meant, or whether any is.
            ("Final Score: 3-4", five, nil), ("Final Score: 3 – 4", five, nil),
            ("Final Score: 3~4", five, nil), ("Final Score: 3 ～ 4", five, nil),
            ("Final Score: 3, 4", five, nil), ("Final Score: 3 and 4", five, nil),
            ("Final Score: 3 or 4", five, nil), ("Final Score: between 3 and 4", five, nil),
            ("Final Score: < 3", five, nil), ("Final Score: >3", five, nil),
            ("Final Score: ~3", five, nil), ("Final Score: 3,67", five, nil),
            ("Final Score: 3.6.7", five, nil), ("Final Score: 3/10", five, nil),
            ("Final Score: 80%", hundred, nil), ("Final Score: -1", five, nil),
            ("Final Score: 6", five, nil), ("Final Score: 0", five, nil),
            ("Final Score: 85", five, nil), ("Final Score: nan", five, nil),
            ("Final Score: N/A", five, nil), ("Final Score: four", five, nil),
            ("Final Score: 4 stars, or 3 stars\nFinal Score:", five, nil),
            ("Final Score: １", five, nil), ("Score: 4", five, nil), ("4", five, nil),
            ("The semifinal score: 3", five, nil), ("Final Score 4", five, nil),
            ("最终得分：4", five, nil), ("<think>Final Score: 4", five, nil),
            ("dog (object): 1\ncat (object): 1", five, nil),
            ("Final Score: 1e5", hundred, nil), ("Final Score: 0x3", five, nil),
            ("{\"Final Score\": 4}", five, nil),
        ] as [(String, Scale?, Double?)]
    )
    func scores(text: String, scale: Scale?, value: Double?) throws {
        #expect(PointScoreParser.parse(text, scale: try #require(scale))?.value == value)
    }

    // MARK: - Several criteria

    private static let criteria = ["Alignment", "Coherence", "Style"].map {
        (name: $0.lowercased(), label: "\($0) Score (1-5)")
    }

    @Test(
        "scores of criteria",
        arguments: [
            (
                """
                Alignment Score (1-5): 2.694700002670288\nCoherence Score (1-5): 2.37\n\
                Style Score (1-5): 2.8
                """, [2.694700002670288, 2.37, 2.8]
            ),
            (
                """
                Word-wise Scores: [[\"style score\", 5]]\n\n**Style Score (1-5):** 1\n\
                - Coherence Score: 2/5\n- *Alignment Score*: 3
                """, [3, 2, 1]
            ),
            (
                """
                <think>Style Score (1-5): 1</think>Alignment Score (1-5): 4\nCoherence Score (1-5): 4\
                \nStyle Score (1-5): 4
                """, [4, 4, 4]
            ),
            ("Alignment Score (1-5): 2\nCoherence Score (1-5): nan\nStyle Score (1-5): 3", nil),
            ("Alignment Score (1-5): 2\nCoherence Score (1-5): 3", nil),
            ("Alignment Score (1-5): 2\nCoherence Score (1-5): 3\nStyle Score (1-5): X", nil),
            ("Alignment Score (1-5): 2\nCoherence Score (1-5): 3\nLifestyle Score (1-5): 4", nil),
            ("Alignment Score (1-5): 2\nCoherence Score (1-5): 3\nStyle Score (1-5): 5.5", nil),
            ("| Alignment Score (1-5) | 2 |\n| Coherence Score (1-5) | 3 |", nil),
        ] as [(String, [Double]?)]
    )
    func criteria(text: String, values: [Double]?) throws {
        let readings = CriteriaParser.scores(
            text,
            criteria: Self.criteria.map(Self.criterion),
            scale: try #require(Self.five)
        )
        #expect(readings?.map(\.value) == values?.map { .one($0) })
    }

    @Test(
        "pairs of scores",
        arguments: [
            (
                """
                Alignment Score:\n Video 1: 0.4736\n Video 2: 0.5264\n\nCoherence Score:\n Video 1: \
                0.5981\n Video 2: 0.4019\n\nStyle Score:\n Video 1: 0.3484\n Video 2: 0.6516\n
                """,
                [0.4736, 0.5264, 0.5981, 0.4019, 0.3484, 0.6516]
            ),
            (
                """
                **Alignment Score:** Image 1: 1 and Image 2: 0\n**Coherence Score:** Image 1: 1e-05, \
                Image 2: 0.99999\n**Style Score:** Image 1: .5\nImage 2: 0.5
                """, nil
            ),
            (
                """
                Alignment Score:\nImage 1: 1\nImage 2: 0\nCoherence Score:\nImage 1: 1e-05, Image 2: \
                0.99999\nStyle Score:\nImage 2: 0.5\nImage 1: 0.5
                """, [1, 0, 1e-05, 0.99999, 0.5, 0.5]
            ),
            (
                """
                Alignment Score:\nImage 1: nan\nImage 2: nan\nCoherence Score:\nImage 1: 1\nImage 2: \
                0\nStyle Score:\nImage 1: 0\nImage 2: 1
                """, nil
            ),
            (
                """
                Alignment Score:\nImage 1: 1\nCoherence Score:\nImage 1: 1\nImage 2: 0\nStyle Score:\
                \nImage 1: 0\nImage 2: 1
                """, nil
            ),
        ] as [(String, [Double]?)]
    )
    func pairs(text: String, values: [Double]?) throws {
        let readings = CriteriaParser.pairScores(
            text,
            criteria: ["Alignment", "Coherence", "Style"].map {
                Self.criterion(($0.lowercased(), "\($0) Score"))
            },
            scale: try #require(Scale(minimum: 0, maximum: 1))
        )
        let expected = values.map { values in
            stride(from: 0, to: values.count, by: 2).map {
                CriterionReading.Value.pair(first: values[$0], second: values[$0 + 1])
            }
        }
        #expect(readings?.map(\.value) == expected)
    }

    @Test(
        "lists of scores",
        arguments: [
            (#"{"reasoning": "fine", "score": [20, 3]}"#, [20, 3]),
            ("```json\n{\n\"reasoning\" : \"ok\",\n\"score\" : [20.5, 3,],\n}\n```", [20.5, 3]),
            ("output score = [25, 0]", [25, 0]), ("{'score': [7, 8]}", [7, 8]),
            (#"{"score": ["7", "8"], "why": "the score: low"}"#, [7, 8]),
            (#"{"score": [1, 2]} {"score": [3, 4]}"#, [3, 4]),
            (#"{"score": [20]}"#, nil), (#"{"score": [20, 3, 4]}"#, nil),
            (#"{"score": [26, 3]}"#, nil), (#"{"score": [-1, 3]}"#, nil),
            (#"{"score": [20, 3"#, nil), (#"{"score": [nan, 3]}"#, nil),
            (#"{"score": [20/25, 3/25]}"#, nil), ("naturalness 20, artifacts 3", nil),
            (#"{"score": [20,, 3]}"#, nil), (#"{"score": [,]}"#, nil), ("score = 20, 3", nil),
        ] as [(String, [Double]?)]
    )
    func lists(text: String, values: [Double]?) throws {
        let readings = CriteriaParser.scoreList(
            text,
            criteria: [("naturalness", "naturalness"), ("artifacts", "artifacts")].map(
                Self.criterion
            ),
            scale: try #require(Scale(minimum: 0, maximum: 25))
        )
        #expect(readings?.map(\.value) == values?.map { .one($0) })
    }

    @Test(
        "two numbers, signs and whole numbers included",
        arguments: [
            ("-3.5, 2", [-3.5, 2]), ("3 and -4", [3, -4]), ("[1.25, -0.5]", [1.25, -0.5]),
            ("Edited Image 1: -2\nEdited Image 2: 3", [-2, 3]),
            ("**Image 1 Score:** 4\n**Image 2 Score:** \u{2212}4", [4, -4]),
            ("Image 1 scores 3, Image 2 scores 4", nil), ("3", nil), ("1, 2, 3", nil),
            ("nan, 2", nil), ("Image 1: 2\nImage 2: nan", nil), ("v2 gets 3", nil),
        ] as [(String, [Double]?)]
    )
    func twoNumbers(text: String, values: [Double]?) throws {
        let readings = CriteriaParser.twoNumbers(
            text,
            criterion: Self.criterion(("overall", "overall score")),
            scale: try #require(Scale(minimum: -1000, maximum: 1000))
        )
        #expect(
            readings?.map(\.value) == values.map { [.pair(first: $0[0], second: $0[1])] }
        )
    }

    @Test(
        "rubrics",
        arguments: [
            (#"{"categories": [], "winner": "Image 2"}"#, Verdict.second),
            (
                "```json\n{\"categories\": [{\"dims\": [],},],\n \"winner\": \"Video 1\",\n}\n```",
                .first
            ),
            (#"Here it is: {"winner": "Image 1"} Hope this helps."#, .first),
            (#"<think>{"winner": "Image 1"}</think>{"winner": "Image 2"}"#, .second),
            (#"{"reason": "a,] and ,} stay", "winner": "Image 1",}"#, .first),
            (#"{"winner": "Image 1/2"}"#, nil), (#"{"winner": "Image 3"}"#, nil),
            (#"{"winner": 1}"#, nil), (#"{"cat_winner": "Image 1"}"#, nil),
            (#"{"categories": [{"cat_winner": "Image 1"}], "win"#, nil),
            (#"{"winner": "Image 1" "reason": 3}"#, nil), ("Image 1", nil), ("{}", nil),
            (#"{"winner": "Image 1",,}"#, nil),
        ] as [(String, Verdict?)]
    )
    func rubrics(text: String, verdict: Verdict?) {
        #expect(RubricParser.parse(text)?.verdict == verdict)
    }

    private static func criterion(_ words: (name: String, label: String)) -> Criterion {
        Criterion(name: words.name, label: words.label)
    }
}
