import Chaos
import Foundation
import Postgres
import TestSupport
import Testing

/// A change to a function of the queue that breaks a promise, and would not be seen by a glance at one job.
struct PlantedBug: Sendable, CustomTestStringConvertible {
    let function: String
    let from: String
    let to: String

    init(_ function: String, _ from: String, _ to: String) {
        self.function = function
        self.from = from
        self.to = to
    }

    var testDescription: String { "\(function): \(to)" }
}

@Suite("The model of the queue")
struct ModelTests {
    @Test("agrees with the database after every one of many random operations")
    func agrees() throws {
        let random = UInt64.random(in: 1...UInt64(Int32.max))
        let database = try TemporaryDatabase.migrated()
        let connection = try database.connect()
        for seed in [1, random] {
            print("model of the queue: seed \(seed)")
            do {
                try ModelCheck(seed: seed, operations: 600).run(connection)
            } catch let failure as ModelCheck.Failure {
                Issue.record("\(failure.text)")
            }
        }
    }

    @Test("finds a planted bug and shrinks the story that leads to it", arguments: planted)
    func finds(_ bug: PlantedBug) throws {
        let database = try TemporaryDatabase.migrated()
        let connection = try database.connect()
        let source = try connection.execute(
            """
            SELECT pg_get_functiondef(p.oid) AS t
            FROM pg_proc p
            WHERE p.pronamespace = 'rewardd'::regnamespace AND p.proname = \(bug.function)
            """
        ).only().text("t")
        let changed = source.replacing(bug.from, with: bug.to)
        try #require(changed != source, "\(bug.function) does not say \(bug.from)")
        _ = try connection.execute(Query(script: changed))
        let failure = #expect(throws: ModelCheck.Failure.self) {
            try ModelCheck(seed: 2, operations: 6_000).run(connection)
        }
        guard let failure else { return }
        #expect((1...20).contains(failure.story.count), "\(failure.text)")
        #expect(!failure.expected.isEmpty || !failure.found.isEmpty)
        #expect(failure.text.contains("seed 2"))
    }

    @Test("plays the same operations for the same seed, and stops when it is told to")
    func stops() throws {
        let database = try TemporaryDatabase.migrated()
        let connection = try database.connect()
        var heard: [Int] = []
        #expect(throws: CancellationError.self) {
            try ModelCheck(seed: 3, operations: 10_000).run(connection) { done in
                heard.append(done)
                return heard.count < 3
            }
        }
        #expect(heard == [0, ModelCheck.sequenceLength, 2 * ModelCheck.sequenceLength])
    }

    static let planted = [
        PlantedBug("checkpoint", ", crashes = 0", ""),
        PlantedBug("finish_shard", "lease.attempts - 1", "lease.attempts"),
        PlantedBug("_settle_job", "AND s.state = 'held'", "AND s.state = 'scheduled'"),
        PlantedBug("_requeue_shard", "cancel_requested = false,", ""),
        PlantedBug("_rescue_shard", "shard.attempts - 1", "shard.attempts"),
        PlantedBug("retry", "SET items_failed = 0", "SET items_failed = s.items_failed"),
        PlantedBug("_take_ready", "AND q.paused_at IS NULL", ""),
        PlantedBug("_revoke_shards", "AND s.state = 'running'", "AND s.state = 'ready'"),
    ]
}
