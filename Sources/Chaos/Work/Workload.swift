import SyntheticScenes

/// The jobs of a run, in order: a pure function of the seed.
///
/// All kinds, both queues, priorities, a tenth delayed, some with a deadline, most with an idempotency key, some submitted
/// twice, and in every job now and then an item that cannot succeed.
struct Workload {
    /// The queues in use; the second is made by the operator.
    static let queues = ["default", limitedQueue]
    /// The one in which not all daemons may work at once.
    static let limitedQueue = "second"

    /// The name of the model that every job asks for.
    static let model = "chaos"

    /// The most questions that one item of these jobs leads to: six candidates, every pair of them in
    /// both orders, and a score for each.
    static let mostQuestions = 36

    private let seed: UInt64
    private let media: MediaSet

    /// The jobs of a seed over a set of pictures.
    init(seed: UInt64, media: MediaSet) {
        self.seed = seed
        self.media = media
    }

    /// The job in one place.
    func submission(_ number: Int) -> Submission {
        var random = SeededRandom(path: [seed, 4, UInt64(number)])
        let kind = ["point_score", "point_score", "pair_rank", "build_pairs"][random.below(4)]
        let count = kind == "build_pairs" ? 1 + random.below(6) : 2 + random.below(30)
        let items = (0..<count).map { item(kind, job: number, index: $0, &random) }
        let hasKey = random.below(4) > 0
        let delay = random.below(10) == 0 ? random.between(0.5, 6) : 0
        return Submission(
            number: number,
            kind: kind,
            items: "[" + items.joined(separator: ",") + "]",
            itemCount: count,
            options: #"{"shard_size": \#(1 + random.below(10)), "max_attempts": 20}"#,
            queue: Self.queues[random.below(3) / 2],
            priority: random.below(11) - 5,
            delay: delay,
            deadline: random.below(12) == 0 ? delay + random.between(1, 12) : nil,
            idempotencyKey: hasKey ? "submission-\(number)" : nil,
            isRepeated: random.below(3) == 0
        )
    }

    /// One item. Its caption names job and place, so that no two items ask the same question.
    private func item(
        _ kind: String,
        job: Int,
        index: Int,
        _ random: inout SeededRandom
    ) -> String {
        let isPoisoned = random.below(25) == 0
        let poison = random.below(2) == 0 ? media.missing : media.damaged
        var pictures: [String] = []
        let count = kind == "point_score" ? 1 : kind == "pair_rank" ? 2 : 2 + random.below(5)
        let first = random.below(MediaSet.count)
        for place in 0..<count { pictures.append("\"\(media.picture(first + place))\"") }
        if isPoisoned { pictures[random.below(count)] = "\"\(poison)\"" }
        let fields =
            switch kind {
            case "point_score": #""image": \#(pictures[0])"#
            case "pair_rank": #""first": \#(pictures[0]), "second": \#(pictures[1])"#
            default: #""candidates": [\#(pictures.joined(separator: ", "))]"#
            }
        return #"{"id": "\#(isPoisoned ? "poison" : "sound")-\#(job)-\#(index)", "#
            + #""caption": "item \#(index) of job \#(job)", \#(fields)}"#
    }
}
