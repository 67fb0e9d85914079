import Inference
import Testing

@Suite("Sampling and stopping")
struct SamplerTests {
    @Test(
        "takes the largest, of equal ones the first",
        arguments: [
            ([1, 3, 2], 1), ([5, 5, 5], 0), ([-.infinity, -4], 1), ([.nan, 0.5, .nan], 1),
        ] as [([Float], Int32)]
    )
    func greedy(logits: [Float], expected: Int32) throws {
        let token = try logits.withUnsafeBufferPointer { try Sampler.greedy($0) }
        #expect(token == expected)
    }

    @Test(
        "refuses logits that are no numbers",
        arguments: [[], [.nan, .nan], [-.infinity], [0, .infinity]] as [[Float]]
    )
    func notFinite(logits: [Float]) {
        #expect(throws: InferenceError.notFinite) {
            try logits.withUnsafeBufferPointer { try Sampler.greedy($0) }
        }
    }

    @Test("stops at an end token, or after the most tokens")
    func stopping() {
        let stop = StopCondition(endTokens: [7], maximumTokens: 2)
        #expect(stop.reason(token: 7, written: 0) == .stop)
        #expect(stop.reason(token: 8, written: 1) == nil)
        #expect(stop.reason(token: 8, written: 2) == .length)
    }
}
