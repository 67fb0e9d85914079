package import RewardModeling
import SyntheticScenes

/// What is measured, and on how much.
package struct AccuracyPlan: Sendable {
    /// Where the random numbers of the scenes begin.
    package var seed: UInt64
    /// The tasks, measured one after the other.
    package var tasks: [JudgingTask]
    /// Groups of scenes for pairs and point scores, of each task.
    package var groups: Int
    /// Point scores of a group, at the most; as many pairs. Few of many groups say more than many
    /// of few, because those of one group share its scene.
    package var perGroup = 3
    /// The longest generated answer in tokens.
    package var maximumNewTokens = 64

    /// All of these tasks on so many groups each.
    package init(seed: UInt64, tasks: [JudgingTask] = JudgingTask.ofScenes, groups: Int = 100) {
        precondition(groups > 0, "at least one group")
        self.seed = seed
        self.tasks = tasks.filter(JudgingTask.ofScenes.contains)
        self.groups = groups
    }

    /// Candidates of a `build_pairs` item, and the variants of its group.
    package static let candidatesPerList = 10

    /// `build_pairs` items of each task: two to five groups.
    package var lists: Int { max(1, groups * 2 / 5) }

    /// Groups that are drawn and judged in all.
    package var steps: Int { tasks.count * (groups + lists) }
}

extension JudgingTask {
    /// The task as scenes know it.
    var sceneTask: SceneTask {
        switch self {
        case .imageGeneration: .imageGeneration
        case .imageUnderstanding: .imageUnderstanding
        case .videoGeneration: .videoGeneration
        case .videoUnderstanding: .videoUnderstanding
        case .imageEditing: preconditionFailure("a plan holds only tasks of scenes")
        }
    }

    /// The tasks that scenes are drawn for.
    package static let ofScenes = allCases.filter { $0 != .imageEditing }
}
