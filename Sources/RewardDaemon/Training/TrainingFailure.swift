import RewardModeling

/// Why a train job cannot come to a model, whoever tries: fails its item by name.
struct TrainingFailure: CodedError, CustomStringConvertible, Sendable, Equatable {
    let code: String
    let message: String

    var description: String { message }
}

/// What stands in the way of a training on this host and at this moment: the shard is tried again.
struct TrainingObstacle: Error, CustomStringConvertible, Sendable, Equatable {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
