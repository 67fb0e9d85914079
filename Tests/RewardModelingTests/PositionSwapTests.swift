import RewardModeling
import Testing

@Suite("Both orders")
struct PositionSwapTests {
    private func answer(
        _ order: PresentationOrder,
        _ verdict: Verdict,
        _ shares: [Double] = []
    ) -> RecordedJudgement {
        .sample(
            order: order,
            verdict: verdict,
            probabilities: shares.isEmpty
                ? [:] : ["first": shares[0], "second": shares[1], "tie": shares[2]]
        )
    }

    @Test("agreement is the verdict, anything else a tie that says so")
    func table() {
        for first in [Verdict.first, .second, .tie] {
            for second in [Verdict.first, .second, .tie] {
                let swap = PositionSwap([
                    answer(.firstSecond, first), answer(.secondFirst, second),
                ])
                #expect(swap.verdict == (first == second ? first : .tie))
                #expect(swap.isOrderSensitive == (first != second))
                #expect(swap.orders.map(\.verdict) == [first, second])
            }
        }
    }

    @Test("the confidence is the mean probability of the verdict given")
    func confidence() throws {
        let agreeing = PositionSwap([
            answer(.firstSecond, .first, [0.8, 0.1, 0.1]),
            answer(.secondFirst, .first, [0.6, 0.3, 0.1]),
        ])
        #expect(abs(try #require(agreeing.confidence) - 0.7) < 1e-12)
        #expect(agreeing.orders.map(\.confidence) == [0.8, 0.6])
        let disagreeing = PositionSwap([
            answer(.firstSecond, .first, [0.8, 0.1, 0.1]),
            answer(.secondFirst, .second, [0.3, 0.5, 0.2]),
        ])
        #expect(abs(try #require(disagreeing.confidence) - 0.15) < 1e-12)
        #expect(disagreeing.orders.map(\.confidence) == [0.8, 0.5])
    }

    @Test("a generated answer has no confidence, and none is made up for the pair")
    func generated() {
        let swap = PositionSwap([
            answer(.firstSecond, .first, [0.8, 0.1, 0.1]), answer(.secondFirst, .first),
        ])
        #expect(swap.confidence == nil)
        #expect(swap.orders.map(\.confidence) == [0.8, nil])
    }

    @Test("one order alone is its own verdict")
    func single() {
        #expect(PositionSwap.orders(.single) == [.firstSecond])
        #expect(PositionSwap.orders(.both) == [.firstSecond, .secondFirst])
        let swap = PositionSwap([answer(.firstSecond, .second, [0.1, 0.9, 0])])
        #expect(swap.verdict == .second && !swap.isOrderSensitive && swap.confidence == 0.9)
    }
}
