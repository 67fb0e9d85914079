import Accuracy
import Testing

@Suite("Shares")
struct ProportionTests {
    @Test(
        "have Wilson's interval",
        arguments: [
            // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I.
            (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718), (29, 29, 0.8830, 1.0),
        ] as [(Int, Int, Double, Double)]
    )
    func interval(matched: Int, count: Int, low: Double, high: Double) throws {
        let interval = try #require(Proportion(matched, of: count).interval)
        #expect(abs(interval.lowerBound - low) < 5e-5)
        #expect(abs(interval.upperBound - high) < 5e-5)
    }

    @Test("of nothing are none")
    func empty() {
        #expect(Proportion().share == nil)
        #expect(Proportion().interval == nil)
    }

    @Test("count what they are told")
    func counting() {
        var proportion = Proportion()
        for matches in [true, false, true, true] { proportion.note(matches) }
        #expect(proportion == Proportion(3, of: 4))
        #expect(proportion.share == 0.75)
    }

    @Test("always lie within their interval")
    func within() throws {
        for count in [1, 2, 7, 300] {
            for matched in 0...count {
                let proportion = Proportion(matched, of: count)
                let share = try #require(proportion.share)
                let interval = try #require(proportion.interval)
                #expect(interval.contains(share), "\(matched) of \(count)")
                #expect(interval.lowerBound >= 0 && interval.upperBound <= 1)
            }
        }
    }
}
