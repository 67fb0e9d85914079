import RewardModeling
import Testing

/// The outputs are of the forms that UnifiedReward's models write, traps of their parsers included:
/// digits that are dropped, signs that are lost, `nan`, labels that are missing, text that was cut off.
@Suite("Reading scores of several criteria")
struct CriteriaParserTests {
    private static let quality = [
        Criterion(name: "alignment", label: "Alignment Score (1-5)"),
        Criterion(name: "coherence", label: "Coherence Score (1-5)"),
        Criterion(name: "style", label: "Style Score (1-5)"),
    ]
    private static let video = [
        Criterion(name: "visual", label: "visual quality"),
        Criterion(name: "temporal", label: "temporal consistency"),
        Criterion(name: "dynamic", label: "dynamic degree"),
        Criterion(name: "alignment", label: "text-to-video alignment"),
        Criterion(name: "factual", label: "factual consistency"),
    ]
    private static let shares = [
        Criterion(name: "alignment", label: "Alignment Score"),
        Criterion(name: "coherence", label: "Coherence Score"),
    ]
    private static let edit = [
        Criterion(name: "success", label: "editing success"),
        Criterion(name: "overediting", label: "over-editing"),
    ]

    // MARK: - One candidate

    @Test(
        "three labelled scores are read, in any order and dress",
        arguments: [
            """
            Alignment Score (1-5): 2.694700002670288
            Coherence Score (1-5): 2.371500015258789
            Style Score (1-5): 2.802500009536743
            """,
            """
            Style Score (1-5): 2.802500009536743
            Alignment Score (1-5): 2.694700002670288
            Coherence Score (1-5): 2.371500015258789
            """,
            """
            **Alignment Score (1-5):** 2.694700002670288
            - **Coherence Score**: 2.371500015258789/5
            * style score (1-5) : [2.802500009536743]
            """,
            """
            Alignment Score (1-5): 1
            On second thought:
            Alignment Score (1-5): 2.694700002670288
            Coherence Score (1-5): 2.371500015258789
            Style Score (1-5): 2.802500009536743
            """,
            """
            <think>Alignment Score (1-5): 5, Coherence Score (1-5): 5, Style Score (1-5): 5</think>
            <answer>Alignment Score (1-5): 2.694700002670288
            Coherence Score (1-5): 2.371500015258789
            Style Score (1-5): 2.802500009536743</answer>
            """,
        ]
    )
    func labelled(text: String) throws {
        let scores = try #require(self.scores(text))
        #expect(scores.map(\.name) == ["alignment", "coherence", "style"])
        #expect(
            scores.map(\.value) == [
                .one(2.694700002670288), .one(2.371500015258789), .one(2.802500009536743),
            ]
        )
    }

    @Test(
        "a criterion that is missing, nan, off the scale or cut off leaves nothing",
        arguments: [
            "", "Final Score: 3.7",
            "Alignment Score (1-5): 3\nCoherence Score (1-5): 4",
            "Alignment Score (1-5): 3\nCoherence Score (1-5): 4\nStyle Score (1-5): nan",
            "Alignment Score (1-5): 3\nCoherence Score (1-5): 4\nStyle Score (1-5): 5.5",
            "Alignment Score (1-5): 3\nCoherence Score (1-5): 4\nStyle Score (1-5): -1",
            "Alignment Score (1-5): 3\nCoherence Score (1-5): 4\nStyle Score (1-5):",
            "Alignment Score (1-5): 3\nCoherence Score (1-5): 4\nStyle Score (1-",
            "Alignment Score (1-5): 3\nCoherence Score (1-5): 4\nLifestyle Score (1-5): 4",
            "Alignment Score (1-5): 3\nCoherence Score (1-5): 3-4\nStyle Score (1-5): 4",
            "Alignment Score (1-5): 3\nCoherence Score (1-5): 3,5\nStyle Score (1-5): 4",
            "Alignment Score (1-5): 3\nCoherence Score (1-5): inf\nStyle Score (1-5): 4",
            "<think>Alignment Score (1-5): 3\nCoherence Score (1-5): 4\nStyle Score (1-5): 4",
            "3.5 4.5 2.5",
        ]
    )
    func unparsed(text: String) {
        #expect(scores(text) == nil)
    }

    @Test("the five dimensions of a video are read, and its final score is not one of them")
    func dimensions() throws {
        let text =
            " visual quality: 3\n temporal consistency: 2\n dynamic degree: 3\n "
            + "text-to-video alignment: 4\n factual consistency: 1\nFinal Score: 3.0"
        let scale = try #require(Scale(minimum: 1, maximum: 4))
        let scores = try #require(
            CriteriaParser.scores(text, criteria: Self.video, scale: scale)
        )
        #expect(scores.map(\.value) == [.one(3), .one(2), .one(3), .one(4), .one(1)])
    }

    @Test("the two scores of an edit are read out of JSON that is nearly JSON")
    func edits() throws {
        for text in [
            #"{ "reasoning": "The hat is red, "nearly".", "score": [18, 3.5] }"#,
            "```json\n{\"reasoning\": \"…\",\n \"score\": [18,3.5]\n}\n```",
            #"{"score": [18, 3.5], "reasoning": "A low score: the hat is blue."}"#,
            #"{"score": [1, 1]} No: {"reasoning": "x", "score": [ +18 , 3.5 ]}"#,
            "score: [18, 3.5]",
        ] {
            #expect(edits(text)?.map(\.value) == [.one(18), .one(3.5)], "\(text)")
        }
        for text in [
            "", #"{"score": []}"#, #"{"score": [18]}"#, #"{"score": [18, 3, 4]}"#,
            #"{"score": [18, 3"#, #"{"score": [18, nan]}"#, #"{"score": [18, 26]}"#,
            #"{"score": [18 3]}"#, #"{"score": "18, 3"}"#, #"{"score": 18}"#,
            #"{"reasoning": "score [18, 3]"}"#, #"{"score": [18, 3]} No: {"score": 18}"#,
            #"{"score": [18, 3]} No: {"score": nan}"#,
        ] {
            #expect(edits(text) == nil, "\(text)")
        }
    }

    @Test("words are read beside the scores, with what stands for a clean picture")
    func words() throws {
        let text = """
            Word-wise Scores: [["a", 0.97], ["dog \\"Rex\\"", 0.12], ["[No_mistakes]", 0.02]]

            Alignment Score (1-5): 3
            Coherence Score (1-5): 4
            Style Score (1-5): 5
            """
        let words = try #require(WordScoreParser.parse(text))
        #expect(words.map(\.word) == ["a", "dog \"Rex\"", "[No_mistakes]"])
        #expect(words.map(\.score) == [0.97, 0.12, 0.02])
        #expect(scores(text)?.map(\.value) == [.one(3), .one(4), .one(5)])
        for text in [
            "", #"Word-wise Scores: [["a", 0.97], ["b""#, #"Word-wise Scores: [["a", nan]]"#,
            #"Word-wise Scores: ["a", 1]"#, #"Word-wise Scores: none"#,
        ] {
            #expect(WordScoreParser.parse(text) == nil, "\(text)")
        }
    }

    // MARK: - Two candidates

    @Test(
        "two shares for each criterion are read",
        arguments: [
            "Alignment Score:\n Image 1: 0.435699999332428\n Image 2: 0.564300000667572\n\n"
                + "Coherence Score:\n Image 1: 0.7\n Image 2: 0.3",
            "**Coherence Score:**\n- Image 2: 0.3\n- Image 1: 0.7\n\n**Alignment Score:**\n"
                + "- Video 2: 0.564300000667572\n- Video 1: 0.435699999332428",
            "Alignment Score: image1: 0.435699999332428, image2: 0.564300000667572\n"
                + "Coherence Score: image1: 0.7, image2: 0.3",
        ]
    )
    func shares(text: String) throws {
        let shares = try #require(pairs(text))
        #expect(shares.map(\.name) == ["alignment", "coherence"])
        #expect(
            shares.map(\.value) == [
                .pair(first: 0.435699999332428, second: 0.564300000667572),
                .pair(first: 0.7, second: 0.3),
            ]
        )
    }

    @Test("shares are read as Python prints single-precision numbers")
    func printedShares() throws {
        let text =
            "Alignment Score:\n Image 1: 9.999999747378752e-05\n Image 2: 1.0000001192092896\n\n"
            + "Coherence Score:\n Image 1: 0.0\n Image 2: 1"
        #expect(
            pairs(text)?.map(\.value) == [
                .pair(first: 9.999999747378752e-05, second: 1), .pair(first: 0, second: 1),
            ]
        )
        #expect(pairs(text.replacing("1.0000001192092896", with: "1.01")) == nil)
    }

    @Test(
        "a side that is missing is not borrowed from the next criterion",
        arguments: [
            "", "Alignment Score:\n Image 1: 0.4\n Image 2: 0.6",
            "Alignment Score:\n Image 1: 0.4\nCoherence Score:\n Image 1: 0.7\n Image 2: 0.3",
            "Alignment Score:\n Image 1: 0.4\n Image 2: 0.6\nCoherence Score:\n Image 1: nan\n "
                + "Image 2: nan",
            "Alignment Score:\n Image 1: 0.4\n Image 2: 0.6\nCoherence Score:\n Image 1: 0.7\n Im",
            "Alignment Score:\n Image 1: 4\n Image 2: 6\nCoherence Score:\n Image 1: 7\n Image 2: 3",
        ]
    )
    func missingSide(text: String) {
        #expect(pairs(text) == nil)
    }

    @Test("two bare numbers keep their signs, and whole numbers count")
    func twoNumbers() throws {
        let scale = try #require(Scale(minimum: -10, maximum: 10))
        let criterion = Criterion(name: "overall", label: "Score")
        func read(_ text: String) -> CriterionReading.Value? {
            CriteriaParser.twoNumbers(text, criterion: criterion, scale: scale)?.first?.value
        }
        for text in [
            "Score for Edited Image 1: -1.25\nScore for Edited Image 2: 3",
            "Image 1 Score: -1.25\n**Image 2 Score:** 3", "-1.25 and 3",
        ] {
            #expect(read(text) == .pair(first: -1.25, second: 3), "\(text)")
        }
        for text in ["-1.25, 3", "-1.25\n3", "Image 1: -1.25\nImage 2: 3", "(-1.25) and (3)"] {
            #expect(read(text) == .pair(first: -1.25, second: 3), "\(text)")
        }
        for text in ["", "3", "1 2 3", "v2 is 3 and 4", "-1.25, nan", "11, 3"] {
            #expect(read(text) == nil, "\(text)")
        }
    }

    // MARK: - Rubrics

    @Test("a rubric's winner and dimensions are read, fenced or not")
    func rubric() throws {
        let json = """
            {"prompt": "a {dog}", "categories": [{"name": "Semantics", "dims": [
            {"name": "Objects", "reason_1": "x", "reason_2": "y", "score_1": 6, "score_2": 4},
            {"name": "Broken", "score_1": "6", "score_2": 4}], "cat_reason": "…",
            "cat_winner": "Image 1"}], "reason": "…", "winner": "Image 2"}
            """
        for text in [json, "```json\n\(json)\n```", "<think>{</think>\(json)"] {
            let rubric = try #require(RubricParser.parse(text))
            #expect(rubric.verdict == .second)
            #expect(rubric.criteria.map(\.name) == ["Objects"])
            #expect(rubric.criteria.map(\.value) == [.pair(first: 6, second: 4)])
        }
        #expect(RubricParser.parse(#"{"winner": "Video 1"}"#)?.verdict == .first)
        #expect(RubricParser.parse(#"{"winner": "tie"}"#)?.verdict == .tie)
    }

    @Test("a rubric that was cut off has no winner, though one of its categories has")
    func truncatedRubric() {
        let json = #"{"categories": [{"dims": [], "cat_winner": "Image 1"}], "winner": "Image 1"}"#
        for length in 0..<json.utf8.count {
            #expect(RubricParser.parse(String(json.prefix(length))) == nil)
        }
        for text in [
            #"{"winner": "Image 3"}"#, #"{"winner": "Image 1 or Image 2"}"#, #"{"winner": 1}"#,
            #"{"cat_winner": "Image 1"}"#, "Image 1", "{}", "}{",
        ] {
            #expect(RubricParser.parse(text) == nil, "\(text)")
        }
    }

    // MARK: - Any text

    @Test("no text makes a parser trap or read a number that is off its scale", arguments: 0..<4)
    func anyText(round: Int) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("parser fuzz: seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "Alignment Score (1-5):", "Coherence Score:", "Style Score", "Final Score: ",
            "Image 1:",
            "Image 2: ", "Video 1 is better than Video 2.", "equally good", "<think>", "</think>",
            "<answer>", "</answer>", "{\"score\": [", "]", "}", "{", "[", "\"", "\\", ",", "nan",
            "inf", "-", "+", ".", "3", "0.25", "99999999999999999999999", "1e400", "/5", "%", "\n",
            " ", "**", "```json", "\"winner\": \"Image 1\"", "Word-wise Scores: [[\"a\", 1]",
            "\u{301}", "\u{200D}", "\0", "：", "👩‍👩‍👧", "é", "\u{FFFD}", "(", ")", "\u{2028}",
        ]
        for _ in 0..<100 {
            let count = Int.random(in: 0...30, using: &generator)
            let text = (0..<count).map { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &generator)]
            }.joined()
            try check(text)
        }
    }

    private func check(_ text: String) throws {
        let scale = try #require(Scale(minimum: 1, maximum: 5))
        var readings = scores(text) ?? []
        readings += pairs(text) ?? []
        readings += edits(text) ?? []
        readings +=
            CriteriaParser.twoNumbers(text, criterion: Self.edit[0], scale: scale) ?? []
        readings += RubricParser.parse(text)?.criteria ?? []
        _ = WordScoreParser.parse(text)
        _ = PairRankParser.parse(text)
        for reading in readings {
            switch reading.value {
            case .one(let value): #expect(Score(value, on: reading.scale) != nil, "\(text)")
            case .pair(let first, let second):
                #expect(Score(first, on: reading.scale) != nil, "\(text)")
                #expect(Score(second, on: reading.scale) != nil, "\(text)")
            }
        }
    }

    // MARK: - Support

    private func scores(_ text: String) -> [CriterionReading]? {
        Scale(minimum: 1, maximum: 5).flatMap {
            CriteriaParser.scores(text, criteria: Self.quality, scale: $0)
        }
    }

    private func pairs(_ text: String) -> [CriterionReading]? {
        Scale(minimum: 0, maximum: 1).flatMap {
            CriteriaParser.pairScores(text, criteria: Self.shares, scale: $0)
        }
    }

    private func edits(_ text: String) -> [CriterionReading]? {
        Scale(minimum: 0, maximum: 25).flatMap {
            CriteriaParser.scoreList(text, criteria: Self.edit, scale: $0)
        }
    }
}
