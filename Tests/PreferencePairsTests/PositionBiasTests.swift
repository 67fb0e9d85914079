import PreferencePairs
import RewardModeling
import Testing

/// What breaks silently without both orders: a model that looks at the place alone makes a winner
/// of every pair, and a data set of pairs that mean nothing.
@Suite("Position bias")
struct PositionBiasTests {
    private func verdicts(
        firstShown: Double?,
        orders: JudgingOptions.Orders,
        seed: UInt64
    ) async throws -> (wins: Int, ties: Int, sensitive: Int) {
        var random = SplitMix(seed: seed)
        var counts = (wins: 0, ties: 0, sensitive: 0)
        for item in 0..<100 {
            let quality = [
                "a\(item)": Double.random(in: 1...5, using: &random),
                "b\(item)": Double.random(in: 1...5, using: &random),
            ]
            let engine = CandidateEngine(quality, fault: .init(firstShown: firstShown))
            let result = try await pictureJudging(engine, kind: .pairRank) { $0.orders = orders }
                .judge(payload: #"{"caption":"c","first":"a\#(item)","second":"b\#(item)"}"#.utf8)
            guard case .completed(let json) = result.outcome,
                case .object(let fields)? = PayloadValue(json: json.utf8)
            else { continue }
            if fields["verdict"] == .string("tie") { counts.ties += 1 } else { counts.wins += 1 }
            if fields["order_sensitive"] == .bool(true) { counts.sensitive += 1 }
        }
        return counts
    }

    @Test(
        "a model that prefers a place yields ties and no wins",
        arguments: [0.05, 0.6, 0.9, 0.99]
    )
    func biased(firstShown: Double) async throws {
        let both = try await verdicts(firstShown: firstShown, orders: .both, seed: 1)
        #expect(both.wins == 0 && both.ties == 100 && both.sensitive == 100, "seed 1")
        let single = try await verdicts(firstShown: firstShown, orders: .single, seed: 1)
        #expect(single.wins == 100 && single.sensitive == 0, "seed 1")
    }

    @Test("a model that looks at the pictures is believed")
    func unbiased() async throws {
        let counts = try await verdicts(firstShown: nil, orders: .both, seed: 2)
        #expect(counts.wins == 100 && counts.sensitive == 0, "seed 2")
    }

    @Test("no pair is built from preferences for a place")
    func noPairs() async throws {
        var quality: [String: Double] = [:]
        let names = (0..<10).map { "p\($0)" }
        for (index, name) in names.enumerated() { quality[name] = 1 + Double(index) * 0.25 }
        let engine = CandidateEngine(quality, fault: .init(firstShown: 0.9))
        let result = try await pictureJudging(engine).judge(payload: candidates(names))
        #expect(result.pair == nil)
        guard case .completed(let json) = result.outcome else {
            Issue.record("expected a result")
            return
        }
        #expect(json.contains(#""reason":"all_comparisons_tied""#))
    }
}
