import RewardModeling
import Testing

/// Each trap is one that scripts around UnifiedReward fall into: they search for one sentence and
/// let the first candidate win whenever it is not there.
@Suite("Reading verdicts")
struct PairRankParserTests {
    @Test(
        "reads the statement, whatever its noun, case and decoration",
        arguments: [
            ("Image 1 is better than Image 2.", Verdict.first),
            ("Image 2 is better than Image 1.", .second),
            ("Image 1 is better", .first),
            ("Image 2 is better.", .second),
            ("image 2 IS BETTER than image 1", .second),
            ("Video 1 is better than Video 2.", .first),
            ("Answer 2 is better than Answer 1.", .second),
            ("Response 2 is better.", .second),
            ("Both images are equally good.", .tie),
            ("Both videos are equally good", .tie),
            ("Both answers are equally good.", .tie),
            ("Both images are equally bad.", .tie),
            ("**Image 2** is better than **Image 1**.", .second),
            ("**Answer 1 is better than Answer 2.**", .first),
            ("\"Image 2\" is better.", .second),
            ("Image  2\n is   better than Image 1", .second),
            ("Image2 is better than Image1.", .second),
            ("Image 2 is slightly better than Image 1.", .second),
            ("Overall Judgment: Answer 2 is better.", .second),
            ("The second response is better than the first response.", .second),
            ("The first image is slightly better.", .first),
            ("Edited Image 2 is better, as the hat is red.", .second),
            ("# Overall Judgment\nAnswer 1 is better than Answer 2.", .first),
            ("Ich denke: Image 2 is better than Image 1 🙂", .second),
        ]
    )
    func reads(text: String, verdict: Verdict) {
        #expect(PairRankParser.parse(text) == verdict)
    }

    @Test(
        "of several statements the last counts",
        arguments: [
            (
                "Image 1 is better in colour, image 2 in form. Image 2 is better than Image 1.",
                Verdict.second
            ),
            ("Both are equally good at detail. Overall Judgment: Answer 1 is better.", .first),
            ("Image 2 is better than Image 1. On reflection, both images are equally good.", .tie),
            ("Image 2 is better than Image 1.\nImage 1 is better than Image 2.", .first),
        ]
    )
    func lastWins(text: String, verdict: Verdict) {
        #expect(PairRankParser.parse(text) == verdict)
    }

    @Test(
        "what is granted on the way is no verdict",
        arguments: [
            ("Image 1 is better, although Image 2 is better in colour.", Verdict.first),
            ("While Image 1 is better in detail, Image 2 is better overall.", .second),
            ("Video 2 is better, whereas the first video is better lit", .second),
            ("Though Answer 1 is better worded.", .unparsed),
        ]
    )
    func granted(text: String, verdict: Verdict) {
        #expect(PairRankParser.parse(text) == verdict)
    }

    @Test(
        "an overall judgment is not undone by the reasons behind it",
        arguments: [
            (
                "Overall Judgment: Answer 1 is better. Answer 2 is better in clarity, but wrong.",
                Verdict.first
            ),
            (
                "### Overall Judgment\nWhile Answer 1 is better worded, **Answer 2 is better** than "
                    + "Answer 1. Answer 1 is better at length only.", .second
            ),
            ("Answer 1 is better. Overall Judgement: neither.", .unparsed),
            ("Answer 1 is better. That is my overall judgment.", .first),
            (
                "Overall judgment: Answer 1 is better.\nOverall judgment: Answer 2 is better.",
                .second
            ),
        ]
    )
    func judgment(text: String, verdict: Verdict) {
        #expect(PairRankParser.parse(text) == verdict)
    }

    @Test(
        "thinking is not the answer",
        arguments: [
            (
                "<think>\nImage 1 is better.\n</think>\n<answer>Image 2 is better</answer>",
                Verdict.second
            ),
            (
                "<think>Image 1 (9/10)</think><answer>Image 1 is better</answer> Image 2 is better",
                .first
            ),
            ("<THINK>x</THINK><Answer>Video 2 is better</Answer>", .second),
            ("reasoning… Image 1 is better </think> <answer>Image 2 is better", .second),
            ("<think>a</think>Image 2 is better than Image 1.", .second),
            ("<answer>Image 1 is better</answer> no: <answer>Image 2 is better</answer>", .second),
            ("<think>The form is <answer>Image 1 is better</answer>, so", .unparsed),
            ("<think>Image 1 is better than Image 2 because", .unparsed),
            ("<think>Image 1 is better</think><answer></answer>", .unparsed),
            ("<think>Image 1 is better</think><answer>Neither</answer>", .unparsed),
        ]
    )
    func thinking(text: String, verdict: Verdict) {
        #expect(PairRankParser.parse(text) == verdict)
    }

    @Test(
        "what says nothing is unparsed and never a win",
        arguments: [
            "", " \n", "I think both", "Image 1", "Image 1 is", "Image 1 is good.", "Image 2 wins",
            "Image 3 is better than Image 2.", "Image 12 is better.", "Image 1.5 is better",
            "Image 1 is better than Image 1.", "Image 1 is not better than Image 2.",
            "I do not think that Image 1 is better than Image 2.",
            "I don't think Image 1 is better",
            "I don’t think Image 1 is better", "If Image 1 is better, say so.",
            "Neither image 1 is better nor image 2.", "They are not equally good.",
            "Subimage 1 is better", "Picture 1 is better than picture 2.", "1 is better than 2",
            "Which image is better: Image 1 or Image 2?",
            "I prefer Image 1. Is better light needed?",
            "Image 2 is better. But no: there is no question that Image 1 is better.",
            "Image 1 is better than Image 2. Wait, Image 1 is not better.",
            "Image 1 is better. Image 1 isn't better.", "Image 2 is no better than Image 1.",
            "I must say whether Image 1 is better or Image 2 is better.",
            "'Video 1 is better,' 'Video 2 is better,' or 'Both videos are equally good.'",
            "Either Image 1 is better or they are equally good.",
            "The first image is better than the first image.", "The first is better",
            "Image one is better", "same", "nan", "Image 2 is bett",
        ]
    )
    func unparsed(text: String) {
        #expect(PairRankParser.parse(text) == .unparsed)
    }

    @Test("nothing a model can write crashes it", arguments: 0..<60 as Range<UInt64>)
    func fuzz(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            let text = Babble.text(&random)
            let verdict = PairRankParser.parse(text)
            #expect(verdict == PairRankParser.parse(text), "seed \(seed)")
            if verdict != .unparsed {
                #expect(
                    text.lowercased().contains("better") || text.lowercased().contains("equally"),
                    "seed \(seed): \(text)"
                )
            }
            let decided = PairRankParser.parse(text + "</think><answer>Image 2 is better</answer>")
            #expect(decided == .second, "seed \(seed): \(text)")
        }
    }
}

/// Random text out of the pieces that matter to the parsers.
enum Babble {
    static let pieces = [
        "Image", "image", "Video", "Answer", "1", "2", "3.7", " ", " ", " ", "\n", "is", "better",
        "than", "equally good", "Both images are", "not", "Final Score:", "final score", ":", "-",
        "/5", "nan", "<think>", "</think>", "<answer>", "</answer>", "**", "(", ")", ".", ",", "🙂",
        "\u{301}", "\u{0}", "9999999999", "Score", "e9", "\u{200b}", "：", "−",
    ]

    static func text(_ random: inout SeededGenerator) -> String {
        (0..<Int.random(in: 0..<40, using: &random)).map { _ in
            pieces[Int.random(in: 0..<pieces.count, using: &random)]
        }.joined()
    }
}
