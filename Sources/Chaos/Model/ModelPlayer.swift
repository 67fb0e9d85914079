import Postgres

/// Plays operations on a database and on the model at once, and says where they part.
///
/// The database must be a migrated one that is there to be tested: it is emptied.
struct ModelPlayer {
    /// Where model and database part.
    struct Difference: Error, Equatable {
        /// The operation in full.
        let operation: String
        /// What the model says and the database does not.
        let expected: [String]
        /// What the database says and the model does not.
        let found: [String]
    }

    let connection: Connection
    var model = QueueModel()
    /// The last operation in full.
    var operation = ""

    /// A player with an empty queue.
    init(_ connection: Connection) throws {
        self.connection = connection
        _ = try connection.executeScript(
            """
            TRUNCATE rewardd.job, rewardd.shard, rewardd.item, rewardd.item_result,
                rewardd.preference_pair, rewardd.judgement, rewardd.daemon, rewardd.event;
            UPDATE rewardd.queue SET paused_at = NULL WHERE paused_at IS NOT NULL;
            SELECT rewardd.create_queue('second');
            """
        )
    }

    /// Plays one operation. Throws ``Difference`` when the answers or the states after it differ.
    mutating func play(_ step: ModelOperation) throws {
        model.tick += 1
        operation = step.kind.rawValue
        let (a, b, c) = (step.numbers[0], step.numbers[1], step.numbers[2])
        switch step.kind {
        case .enqueue: try enqueue(a, b, c)
        case .register: try register()
        case .claim: try claim(a, b, c)
        case .checkpoint: try checkpoint(a, b, c)
        case .finish: try finish(a, b, c)
        case .heartbeat, .die, .rescue, .stop, .drain, .lookForCancelled:
            try live(step.kind, daemon: a)
        case .cancel, .force, .hold, .release, .retry, .deadline:
            try steer(step.kind, job: a, number: b)
        case .pause, .resume: try setPaused(step.kind == .pause, queue: a)
        case .clock: try advance(a, isBeating: b % 3 > 0)
        }
        try compareStates()
    }

    // MARK: - Comparing

    /// The database's one value as text, or the code of its refusal.
    func answer(_ query: Query) throws -> QueueModel.Answer {
        do throws(PostgresError) {
            let rows = try connection.execute(query)
            return .value(try rows.only().textIfPresent("value") ?? "")
        } catch {
            guard !error.isConnectionLost, let state = error.sqlState else { throw error }
            return .refused(state.rawValue)
        }
    }

    /// Throws unless both answers are the same.
    func compare(_ expected: QueueModel.Answer, _ found: QueueModel.Answer) throws {
        guard expected != found else { return }
        throw difference("answer \(expected)", "answer \(found)")
    }

    /// A difference in one line.
    func difference(_ expected: String, _ found: String) -> Difference {
        Difference(operation: operation, expected: [expected], found: [found])
    }

    private mutating func compareStates() throws {
        let rows = try connection.execute(Query(script: Self.stateQuery))
        let found = try rows.map { row in
            (line: try row.text("line"), number: try row.int64IfPresent("number"))
        }
        let expected = model.state
        guard expected.map(\.line) == found.map(\.line) else {
            throw Difference(
                operation: operation,
                expected: Self.lines(of: expected.map(\.line), without: found.map(\.line)),
                found: Self.lines(of: found.map(\.line), without: expected.map(\.line))
            )
        }
        for (mine, theirs) in zip(expected, found) {
            if let shard = mine.shard, let number = theirs.number {
                model.shards[shard].number = Int(number)
            }
        }
    }

    private static func lines(of all: [String], without others: [String]) -> [String] {
        var rest = others
        return all.filter { line in
            guard let place = rest.firstIndex(of: line) else { return true }
            rest.remove(at: place)
            return false
        }
    }

    private static let stateQuery = String(
        decoding: PackageResources.model_state_sql,
        as: UTF8.self
    )
}
