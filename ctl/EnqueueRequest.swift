/// The arguments of `rewardd.enqueue`.
struct EnqueueRequest: Sendable {
    var kind: String
    /// Nil for a train job.
    var task: String?
    var model: String
    /// A JSON array, UTF-8.
    var items: [UInt8]
    /// A JSON object.
    var options: String
    var queue: String
    /// Nil for the default of the kind.
    var priority: Int?
    /// Seconds since 1970, or nil for `delaySeconds` from now.
    var runAt: Int?
    var delaySeconds: Double = 0
    /// Seconds after its start time until the job is cancelled; nil for never.
    var deadlineSeconds: Double?
    var key: String?
}

/// Which jobs a list shows; an empty or nil condition does not restrict.
struct JobFilter: Sendable {
    let ids: [Int64]?
    let states: [String]?
    let queues: [String]?
    let kinds: [String]?
    let limit: Int?

    init(
        ids: [Int64] = [],
        states: [String] = [],
        queues: [String] = [],
        kinds: [String] = [],
        limit: Int? = nil
    ) {
        self.ids = ids.isEmpty ? nil : ids
        self.states = states.isEmpty ? nil : states
        self.queues = queues.isEmpty ? nil : queues
        self.kinds = kinds.isEmpty ? nil : kinds
        self.limit = limit
    }
}
