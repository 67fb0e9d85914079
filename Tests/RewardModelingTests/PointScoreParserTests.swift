import RewardModeling
import Testing

/// Each trap is one that scripts around UnifiedReward fall into: the integer part alone, scores as
/// strings, 0 for what cannot be read, the first digit of the text when the marker is missing.
@Suite("Reading scores")
struct PointScoreParserTests {
    @Test(
        "reads the number after the last marker, decimals and all",
        arguments: [
            ("Final Score: 3.7", 3.7), ("Final Score: 3.67", 3.67), ("Final Score: 4", 4),
            ("Final Score:3.5", 3.5), ("final score: 2", 2), ("FINAL SCORE : 2.5", 2.5),
            ("Final Score: +4", 4), ("Final Score: 5.0", 5), ("Final Score: 4.", 4),
            ("**Final Score:** 3.7", 3.7), ("**Final Score: 3.7**", 3.7),
            ("Final Score (1-5): 3.2", 3.2), ("Final Score: [4]", 4), ("Final Score: <3.3>", 3.3),
            ("Final Score: 3.7/5", 3.7), ("Final Score: 4 / 5.0", 4),
            ("Final Score: 4 out of 5", 4),
            ("Final Score：4", 4), ("Final Score:\n4\n", 4),
            ("Final Score: 3.7. 2 trees are missing", 3.7),
            ("Final Score: 4, 3 trees are missing", 4),
            ("Final Score: 4\n- 2 trees are missing", 4),
            ("Final Score: 2.694700002670288", 2.694700002670288),
            ("dog (animal): 1\ncat (animal): 0\nFinal Score: 2.33", 2.33),
            ("visual quality: 3\ntemporal consistency: 2\nFinal Score: 3.0", 3),
            ("Final Score: 1\nI was too strict.\nFinal Score: 3.7", 3.7),
            ("<think>Final Score: 1</think>Final Score: 4", 4),
            ("<answer>Final Score: 4.4</answer>", 4.4),
            ("Final Score: 4 (out of 5)", 4), ("Final Score: 4 (/5)", 4),
            ("Final Score: 5.000000476837158", 5), ("Final Score: 4 or so", 4),
            ("Final Score: \"4\"", 4), ("Final Score: 4 - good light", 4),
        ]
    )
    func reads(text: String, value: Double) throws {
        let scale = try #require(Scale(minimum: 1, maximum: 5))
        #expect(PointScoreParser.parse(text, scale: scale)?.value == value)
    }

    @Test(
        "what is no score on the scale is unparsed, never 0 and never a number from elsewhere",
        arguments: [
            "", "3.7", "Score: 4", "The score is 4", "Final Score", "Final Score:", "Final Score: ",
            "dog (animal): 1\ncat (animal): 0", "Final Score: nan", "Final Score: NaN",
            "Final Score: inf",
            "Final Score: 0", "Final Score: -3", "Final Score: −3", "Final Score: 5.1",
            "Final Score: 85",
            "Final Score: 10", "Final Score: 8/10", "Final Score: 4/10", "Final Score: 4 out of 10",
            "Final Score: 4 (out of 10)", "Final Score: 3 or 4", "Final Score: 3 to 4",
            "Final Score: **3** or **4**", "Final Score: 5.0001", "Final Score: 4e",
            "Final Score: 4e-",
            "Final Score: 3-4", "Final Score: 3 – 4", "Final Score: 3,7", "Final Score: 3.7.1",
            "Final Score: 4e0", "Final Score: 4th", "Final Score: 4%", "Final Score: four",
            "Final Score: the image earns 4", "Final Score: 4\nFinal Score:", "FinalScore: 4",
            "Final Score (1-5: 4", "<think>Final Score: 4", "Final Score: .5",
            "Final Score: 99999999999999999999999999999999999999999999999999",
        ]
    )
    func unparsed(text: String) throws {
        let scale = try #require(Scale(minimum: 1, maximum: 5))
        #expect(PointScoreParser.parse(text, scale: scale) == nil)
    }

    @Test("the template's scale decides what is off it")
    func scales() throws {
        let percent = try #require(Scale(minimum: 0, maximum: 100))
        #expect(PointScoreParser.parse("Final Score: 85", scale: percent)?.value == 85)
        #expect(PointScoreParser.parse("Final Score: 85/100", scale: percent)?.value == 85)
        #expect(PointScoreParser.parse("Final Score: 0", scale: percent)?.value == 0)
        let signed = try #require(Scale(minimum: -1, maximum: 1))
        #expect(PointScoreParser.parse("Final Score: -0.5", scale: signed)?.value == -0.5)
        #expect(PointScoreParser.parse("Final Score: \u{2212}0.5", scale: signed)?.value == -0.5)
    }

    @Test("a score of 10 is above a score of 9")
    func numbersNotStrings() throws {
        let scale = try #require(Scale(minimum: 1, maximum: 10))
        let ten = try #require(PointScoreParser.parse("Final Score: 10", scale: scale))
        let nine = try #require(PointScoreParser.parse("Final Score: 9", scale: scale))
        #expect(ten.value > nine.value)
    }

    @Test("nothing a model can write crashes it", arguments: 0..<60 as Range<UInt64>)
    func fuzz(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let scale = try #require(Scale(minimum: 1, maximum: 5))
        for _ in 0..<60 {
            let text = Babble.text(&random)
            if let score = PointScoreParser.parse(text, scale: scale) {
                #expect((1...5).contains(score.value), "seed \(seed): \(text)")
                #expect(text.lowercased().contains("score"), "seed \(seed): \(text)")
            }
            let decided = PointScoreParser.parse(text + "</think>\nFinal Score: 3.7", scale: scale)
            #expect(decided?.value == 3.7, "seed \(seed): \(text)")
        }
    }
}
