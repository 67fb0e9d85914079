import Foundation
import PreferencePairs
import RewardModeling
import Testing

@Suite("Bradley–Terry strengths")
struct BradleyTerryTests {
    private typealias Meeting = BradleyTerry.Meeting

    @Test("the strengths found are where the likelihood's slope is zero", arguments: 1...5)
    func stationary(round: Int) {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("Bradley–Terry: seed \(seed)")
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let count = 2 + random(12)
        var meetings: [Meeting] = []
        for _ in 0..<random(60) {
            let first = random(count)
            let second = (first + 1 + random(count - 1)) % count
            meetings.append(
                Meeting(first: first, second: second, share: [0, 0.5, 1][random(3)])
            )
        }
        let strengths = BradleyTerry.strengths(candidates: count, meetings: meetings)
        // Σ (share - probability) over the meetings of each, the thought opponent's tie included.
        var slopes = strengths.map { 0.5 - probability($0, over: 0) }
        for meeting in meetings {
            let expected = probability(strengths[meeting.first], over: strengths[meeting.second])
            slopes[meeting.first] += share(meeting) - expected
            slopes[meeting.second] -= share(meeting) - expected
        }
        for slope in slopes { #expect(abs(slope) < 1e-7) }
    }

    @Test("a chain of wins is ranked as it stands, and nobody is infinitely strong")
    func chain() {
        let meetings = (0..<11).map { Meeting(first: $0, second: $0 + 1, share: 1) }
        let strengths = BradleyTerry.strengths(candidates: 12, meetings: meetings)
        #expect(zip(strengths, strengths.dropFirst()).allSatisfy { $0 > $1 })
        #expect(strengths.allSatisfy { $0.isFinite && abs($0) < 10 })
    }

    @Test("nothing played, all tied, and two mirrored sides are even")
    func even() {
        #expect(BradleyTerry.strengths(candidates: 3, meetings: []) == [0, 0, 0])
        let tied = BradleyTerry.strengths(
            candidates: 2,
            meetings: [Meeting(first: 0, second: 1, share: 0.5)]
        )
        #expect(tied == [0, 0])
        let one = BradleyTerry.strengths(
            candidates: 2,
            meetings: [Meeting(first: 0, second: 1, share: 1)]
        )
        #expect(abs(one[0] + one[1]) < 1e-9)
        #expect(one[0] > 0)
        // Two candidates, one win: π/(π+1) + π/(π+1/π) = 1.5 has the root 1.9318…, worked by hand.
        let worth = exp(one[0])
        #expect(abs(worth / (worth + 1) + worth / (worth + 1 / worth) - 1.5) < 1e-8)
    }

    @Test("everyone meets everyone once, nobody twice in a round", arguments: 2...17)
    func roundRobin(count: Int) {
        let plan = ComparisonPlan.roundRobin(candidates: count)
        let met = plan.comparisons.map { Set([$0.first, $0.second]) }
        #expect(met.count == count * (count - 1) / 2)
        #expect(Set(met).count == met.count)
        #expect(plan.unpaired.isEmpty)
        let tables = count / 2
        for round in stride(from: 0, to: plan.comparisons.count, by: tables) {
            let players = plan.comparisons[round..<round + tables].flatMap {
                [$0.first, $0.second]
            }
            #expect(Set(players).count == players.count)
        }
        let named = (0..<count).map { own in plan.comparisons.count { $0.first == own } }
        #expect((named.max() ?? 0) - (named.min() ?? 0) <= 1, "\(named)")
    }

    @Test("a few rounds give each candidate as many opponents")
    func rounds() {
        let plan = ComparisonPlan.roundRobin(candidates: 10, rounds: 3)
        #expect(plan.comparisons.count == 15)
        for candidate in 0..<10 {
            #expect(plan.comparisons.count { $0.first == candidate || $0.second == candidate } == 3)
        }
        #expect(ComparisonPlan.roundRobin(candidates: 1) == .paired(candidates: 1))
    }

    @Test("a seed shuffles who meets whom, alike every time")
    func seeded() throws {
        let candidates = (0..<10).map { Candidate.response("answer \($0)") }
        var options = JudgingOptions()
        let plain = ComparisonPlan.plan(for: candidates, options: options)
        #expect(plain == .paired(candidates: 10))
        options.seed = 7
        let first = ComparisonPlan.plan(for: candidates, options: options)
        #expect(first == ComparisonPlan.plan(for: candidates, options: options))
        #expect(first != plain)
        #expect(Set(first.comparisons.flatMap { [$0.first, $0.second] }).count == 10)
        options.seed = 8
        #expect(ComparisonPlan.plan(for: candidates, options: options) != first)
        options.plan = .roundRobin
        let all = ComparisonPlan.plan(for: candidates, options: options)
        #expect(Set(all.comparisons.map { Set([$0.first, $0.second]) }).count == 45)
    }

    private func share(_ meeting: Meeting) -> Double { meeting.share }

    private func probability(_ strength: Double, over other: Double) -> Double {
        1 / (1 + exp(other - strength))
    }
}
