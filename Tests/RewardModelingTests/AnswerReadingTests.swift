import Testing

@testable import RewardModeling

@Suite("Reading probabilities")
struct AnswerReadingTests {
    private func verdict(
        _ shares: [Double],
        _ order: PresentationOrder = .firstSecond
    ) throws -> AnswerReading {
        try AnswerReading(probabilities: shares, question: QuestionSamples.pair(order))
    }

    private func score(_ shares: [Double]) throws -> AnswerReading {
        try AnswerReading(probabilities: shares, question: QuestionSamples.point())
    }

    @Test("the most probable verdict, in item order, with its probability under its item name")
    func verdicts() throws {
        let shown = try verdict([0.2, 0.7, 0.1])
        #expect(shown.verdict == .second)
        #expect(shown.probabilities == ["first": 0.2, "second": 0.7, "tie": 0.1])
        let swapped = try verdict([0.2, 0.7, 0.1], .secondFirst)
        #expect(swapped.verdict == .first)
        #expect(swapped.probabilities == ["first": 0.7, "second": 0.2, "tie": 0.1])
        #expect(swapped.rawResponse == "Image 2 is better than Image 1.")
    }

    @Test(
        "two verdicts that share the highest probability are a tie",
        arguments: [[0.5, 0.5, 0], [0.4, 0.4, 0.2], [0.4, 0.2, 0.4]]
    )
    func shared(shares: [Double]) throws {
        #expect(try verdict(shares).verdict == .tie)
    }

    @Test("a score is the expected value, and its spread the standard deviation")
    func scores() throws {
        let reading = try score([0, 0, 0.3, 0.7, 0])
        #expect(abs(try #require(reading.score) - 3.7) < 1e-12)
        #expect(abs(try #require(reading.spread) - (0.3 * 0.7).squareRoot()) < 1e-12)
        #expect(reading.verdict == nil)
        #expect(reading.probabilities["4"] == 0.7 && reading.probabilities.count == 5)
        #expect(reading.rawResponse == "Final Score: 4")
    }

    @Test("rounding never carries a score off its scale")
    func clamp() throws {
        let reading = try score([0, 0, 0, 0, 1.0005])
        #expect(reading.score == 5 && reading.spread == 0)
        #expect(try score([1, 0, 0, 0, 0]).score == 1)
    }

    @Test(
        "probabilities that are none are unparsed and leave no numbers behind",
        arguments: [
            [Double.nan, 0, 0], [.infinity, 0, 0], [0, 0, 0], [-0.5, 1, 0.5], [0.5, 0.2, 0.2],
            [0.9, 0.9, 0.9],
        ]
    )
    func unusable(shares: [Double]) throws {
        let reading = try verdict(shares)
        #expect(reading.verdict == .unparsed && reading.probabilities.isEmpty)
        #expect(reading.rawResponse.hasPrefix("no usable probabilities: "))
        let point = try score(shares + [0, 0])
        #expect(point.verdict == .unparsed && point.score == nil && point.spread == nil)
    }

    @Test("a wrong number of probabilities is the engine's fault")
    func wrongCount() {
        #expect(
            throws: RewardModelingError.engineFault(
                "engine: expected 3 probabilities for template "
                    + "\"image_generation/pair_rank\", got 2"
            )
        ) {
            try verdict([0.5, 0.5])
        }
    }

    @Test("free text is read with its template's parser, and null characters are replaced")
    func generated() throws {
        let pair = AnswerReading(
            generated: "Image 1 is better than Image 2.\0",
            isComplete: true,
            question: try QuestionSamples.pair(.secondFirst)
        )
        #expect(
            pair.verdict == .second && pair.rawResponse == "Image 1 is better than Image 2.\u{fffd}"
        )
        let point = AnswerReading(
            generated: "Final Score: 3.7",
            isComplete: true,
            question: try QuestionSamples.point()
        )
        #expect(point.score == 3.7 && point.verdict == nil && point.probabilities.isEmpty)
        let lost = AnswerReading(
            generated: "?",
            isComplete: true,
            question: try QuestionSamples.point()
        )
        #expect(lost.score == nil && lost.verdict == .unparsed)
    }

    @Test("an answer that was cut off is unparsed: 3 may be the start of 3.7")
    func cutOff() throws {
        let point = AnswerReading(
            generated: "Final Score: 3",
            isComplete: false,
            question: try QuestionSamples.point()
        )
        #expect(point.verdict == .unparsed && point.score == nil)
        #expect(point.rawResponse == "Final Score: 3")
        let pair = AnswerReading(
            generated: "Image 1 is better in colour, but",
            isComplete: false,
            question: try QuestionSamples.pair()
        )
        #expect(pair.verdict == .unparsed)
    }
}
