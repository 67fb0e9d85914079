import SyntheticScenes

/// One operation on the queue: a kind and three numbers, from which whatever it needs is chosen among what there
/// is at that moment. So every part of a sequence of operations is a sequence of operations, which is what
/// makes shrinking simple.
package struct ModelOperation: Sendable, Equatable {
    /// What is done.
    package enum Kind: String, CaseIterable, Sendable {
        case enqueue, register, claim, checkpoint, finish
        case heartbeat, die, rescue, stop, drain, lookForCancelled
        case cancel, force, hold, release, retry, deadline
        case pause, resume, clock

        /// How often it comes, among the sum of all.
        var weight: Int {
            switch self {
            case .checkpoint: 24
            case .claim: 18
            case .finish: 15
            case .enqueue: 10
            case .rescue, .retry: 6
            case .die, .hold, .release: 5
            case .register, .cancel, .deadline, .clock: 4
            case .force, .heartbeat, .resume: 3
            case .pause, .stop, .lookForCancelled: 2
            case .drain: 1
            }
        }
    }

    /// What is done.
    package var kind: Kind
    /// Three numbers below 1000; what they choose is the kind's affair.
    package var numbers: [Int]

    /// How a report names it.
    package var description: String {
        "\(kind.rawValue) \(numbers.map(String.init).joined(separator: " "))"
    }

    private static let weightSum = Kind.allCases.reduce(0) { $0 + $1.weight }

    /// The next operation of a random sequence.
    static func draw(_ random: inout SeededRandom) -> ModelOperation {
        var rest = random.below(weightSum)
        var kind = Kind.enqueue
        for candidate in Kind.allCases {
            kind = candidate
            rest -= candidate.weight
            if rest < 0 { break }
        }
        return ModelOperation(kind: kind, numbers: (0..<3).map { _ in random.below(1000) })
    }
}
