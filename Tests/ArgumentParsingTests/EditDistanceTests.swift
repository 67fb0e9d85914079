import ArgumentParsing
import Testing

@Suite("EditDistance")
struct EditDistanceTests {
    @Test(
        "counts edits, a swap of neighbours being one",
        arguments: [
            ("", "", 0), ("abc", "", 3), ("", "ab", 2), ("kitten", "sitting", 3),
            ("queue", "quuee", 1), ("submit", "sumbit", 1), ("same", "same", 0),
        ]
    )
    func distances(first: String, second: String, expected: Int) {
        #expect(EditDistance.between(first, second) == expected)
        #expect(EditDistance.between(second, first) == expected)
    }

    @Test("suggests only what is near")
    func nearest() {
        let names = ["submit", "cancel", "retry"]
        #expect(EditDistance.nearest(to: "sumbit", in: names) == "submit")
        #expect(EditDistance.nearest(to: "RETRY", in: names) == "retry")
        #expect(EditDistance.nearest(to: "x", in: names) == nil)
        #expect(EditDistance.nearest(to: "frobnicate", in: names) == nil)
        #expect(EditDistance.nearest(to: "cancel", in: []) == nil)
    }
}
