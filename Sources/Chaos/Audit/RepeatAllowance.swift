/// How many answers the interruptions so far may have cost, so that they were given again.
///
/// An interrupted shard loses the questions of the items in hand and of one whose commit was under
/// way. While the server is away nothing can be committed: whatever is answered in that time, and until
/// the daemons are back, may be lost. So is what a daemon answers that is cut off, until it fences itself.
package struct RepeatAllowance: Sendable, Equatable {
    private struct Outage: Equatable {
        let answersBefore: Int
        let end: Double
    }

    /// After the server is back, the seconds until all daemons surely are.
    package static let returnSeconds = 8.0
    /// A daemon that is cut off begins no item later than this.
    package static let fenceSeconds = 13.0

    private let daemons: Int
    private let slots: Int
    private let itemsAtOnce: Int
    private let questionsPerItem: Int
    private var settled = 0
    private var outages: [Outage] = []

    /// None yet.
    package init(daemons: Int, slots: Int, itemsAtOnce: Int = 1, questionsPerItem: Int) {
        self.daemons = daemons
        self.slots = slots
        self.itemsAtOnce = itemsAtOnce
        self.questionsPerItem = questionsPerItem
    }

    /// One fault happened; `answers` were given before, and it is over at `end`.
    package mutating func happened(_ kind: FaultKind, answers: Int, end: Double) {
        let shard = (itemsAtOnce + 1) * questionsPerItem
        switch kind {
        case .kill, .freeze, .drain, .reply: settled += slots * shard
        // One daemon drained, and the next one lost.
        case .trap: settled += 2 * slots * shard
        case .cut, .cancel, .retry, .hold, .force: settled += daemons * slots * shard
        case .silence:
            settled += slots * shard
            outages.append(Outage(answersBefore: answers, end: end))
        case .crash:
            settled += daemons * slots * shard
            outages.append(Outage(answersBefore: answers, end: end + Self.returnSeconds))
        case .pause: break
        }
    }

    /// What is allowed by now.
    package mutating func allowed(answers: Int, now: Double) -> Int {
        for outage in outages where outage.end < now { settled += answers - outage.answersBefore }
        outages.removeAll { $0.end < now }
        return settled + outages.reduce(0) { $0 + answers - $1.answersBefore }
    }
}
