import RewardModeling
import Testing

@Suite("Verdicts and scores")
struct VerdictTests {
    @Test("shown in the other order, first and second change places and nothing else does")
    func swap() {
        for verdict in Verdict.allCases {
            #expect(PresentationOrder.firstSecond.inItemOrder(verdict) == verdict)
            #expect(PresentationOrder.secondFirst.inItemOrder(verdict) == verdict.swapped)
            #expect(verdict.swapped.swapped == verdict)
        }
        #expect(Verdict.first.swapped == .second)
        #expect(Verdict.tie.swapped == .tie)
        #expect(Verdict.unparsed.swapped == .unparsed)
    }

    @Test(
        "a score exists only on its scale",
        arguments: [0.999, 5.001, -.infinity, .nan, .infinity]
    )
    func offScale(value: Double) throws {
        let scale = try #require(Scale(minimum: 1, maximum: 5))
        #expect(Score(value, on: scale) == nil)
        #expect(Score(1, on: scale)?.value == 1)
        #expect(Score(5, on: scale)?.value == 5)
    }

    @Test("a scale has two finite ends in rising order")
    func scale() {
        #expect(Scale(minimum: 5, maximum: 1) == nil)
        #expect(Scale(minimum: 1, maximum: 1) == nil)
        #expect(Scale(minimum: .nan, maximum: 1) == nil)
        #expect(Scale(minimum: 0, maximum: .infinity) == nil)
    }
}
