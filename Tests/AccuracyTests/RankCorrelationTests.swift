import Accuracy
import Testing

@Suite("Spearman's rank correlation")
struct RankCorrelationTests {
    @Test(
        "has its known values",
        arguments: [
            // Without ties 1 - 6 Σd² / n(n² - 1) holds: Σd² = 194 of ten.
            (
                [106, 100, 86, 101, 99, 103, 97, 113, 112, 110],
                [7, 27, 2, 50, 28, 29, 20, 12, 6, 17], -29.0 / 165
            ),
            // With ties: ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4.
            ([1, 2, 2, 4], [1, 3, 2, 4], 4.5 / 22.5.squareRoot()),
            // Ties in both: ranks 1.5, 1.5, 3.5, 3.5 against 1, 3, 3, 3.
            ([0, 0, 9, 9], [5, 7, 7, 7], 2 / 12.0.squareRoot()),
            ([1, 2, 3], [-3, -2.5, 80], 1), ([1, 2, 3], [3, 2, 1], -1),
        ] as [([Double], [Double], Double)]
    )
    func known(one: [Double], other: [Double], expected: Double) throws {
        let found = try #require(RankCorrelation.spearman(one, other))
        #expect(abs(found - expected) < 1e-12)
        let turned = try #require(RankCorrelation.spearman(other, one))
        #expect(abs(turned - expected) < 1e-12)
    }

    @Test("gives equal values the mean of their places")
    func ranks() {
        #expect(RankCorrelation.ranks([7, 3, 3, 9, 3]) == [4, 2, 2, 5, 2])
        #expect(RankCorrelation.ranks([]) == [])
    }

    @Test(
        "is none where there is no order",
        arguments: [
            ([], []), ([1], [2]), ([1, 1, 1], [1, 2, 3]), ([1, 2], [4, 4]), ([1, .nan], [1, 2]),
        ] as [([Double], [Double])]
    )
    func undefined(one: [Double], other: [Double]) {
        #expect(RankCorrelation.spearman(one, other) == nil)
    }
}
