import Accuracy
import RewardModeling
import Testing

@Suite("Goals")
struct AccuracyGoalsTests {
    @Test(
        "hold at their limits as they say",
        arguments: [
            (.atLeast(0.92), 0.92, true), (.atLeast(0.92), 0.9199, false),
            (.below(0.005), 0.005, false), (.below(0.005), 0.0049, true),
            (.atMost(0), 0, true), (.atMost(0), 0.001, false),
        ] as [(GoalBound, Double, Bool)]
    )
    func limits(bound: GoalBound, value: Double, isMet: Bool) {
        #expect(check(bound, value).isMet == isMet)
    }

    @Test(
        "are missed when nothing could be measured",
        arguments: [GoalBound.atLeast(0), .below(1), .atMost(1)]
    )
    func unmeasured(bound: GoalBound) {
        #expect(!check(bound, nil).isMet)
        #expect(!check(bound, .nan).isMet)
    }

    @Test("name every measure once for each task", arguments: JudgingTask.ofScenes)
    func table(task: JudgingTask) throws {
        let bounds = AccuracyGoals.bounds(for: task)
        #expect(bounds.map(\.measure) == AccuracyMeasure.allCases)
        let pairs = try #require(bounds.first { $0.measure == .pairAccuracy }).bound
        #expect(pairs == .atLeast(task.medium == .image ? 0.92 : 0.88))
    }

    private func check(_ bound: GoalBound, _ value: Double?) -> GoalCheck {
        GoalCheck(task: .imageGeneration, measure: .pairAccuracy, bound: bound, measured: value)
    }
}
