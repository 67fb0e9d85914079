/// One job as the bench submits it.
struct Submission: Equatable {
    /// Its place among all of the run, from 0.
    let number: Int
    /// `point_score`, `pair_rank` or `build_pairs`.
    let kind: String
    /// The items, an array in JSON.
    let items: String
    /// How many they are.
    let itemCount: Int
    /// The options, an object in JSON.
    let options: String
    /// Which of the queues.
    let queue: String
    /// The highest is claimed first.
    let priority: Int
    /// Seconds until it may start.
    let delay: Double
    /// Seconds from submission until it is cancelled unless it has ended; nil for no deadline.
    let deadline: Double?
    /// Nil for a submission without a key, whose fate a lost connection leaves open.
    let idempotencyKey: String?
    /// Whether it is submitted a second time, with the same key.
    let isRepeated: Bool
}
