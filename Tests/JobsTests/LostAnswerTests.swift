import Chaos
import Foundation
import Jobs
import Postgres
import TestSupport
import Testing

/// What breaks silently: a shard that stays leased to a daemon which never heard that it got it,
/// and work stored twice.
@Suite("Lost answers")
final class LostAnswerTests {
    private let database: TemporaryDatabase
    private let connection: Connection
    private let proxy: FaultProxy
    private let queue: JobQueue

    init() throws {
        database = try TemporaryDatabase.migrated()
        connection = try database.connect()
        let server = try connection.execute(
            """
            SELECT current_setting('unix_socket_directories') AS directory,
                current_setting('port') AS port
            """
        ).only()
        let directory = "/tmp/rewardd-proxy-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        let port = try server.text("port")
        proxy = try FaultProxy(
            to: "\(server.text("directory"))/.s.PGSQL.\(port)",
            directory: directory
        )
        queue = JobQueue(
            session: Session(
                url: "postgresql:///\(database.name)?host=\(directory)&port=\(port)&user=postgres",
                applicationName: "tests",
                name: "pg-test",
                logger: LogCapture().logger
            ),
            retry: RetryPolicy(base: .milliseconds(1))
        )
    }

    deinit {
        proxy.stop()
        try? FileManager.default.removeItem(atPath: proxy.directory)
    }

    private func claimedShard() async throws -> (daemon: Int64, shard: ClaimedShard) {
        try connection.execute(
            """
            SELECT rewardd.enqueue(kind => 'point_score', task => 'image_generation',
                items => '[{"caption": "a cube", "image": "/a.png"}]', model => 'scenes')
            """
        )
        let daemon = try await queue.register(
            DaemonRegistration(
                host: "h",
                processID: 7,
                version: "1",
                models: ["scenes"],
                queues: ["default"]
            )
        )
        return (daemon, try #require(try await claim(daemon).first))
    }

    private func claim(_ daemon: Int64) async throws -> [ClaimedShard] {
        try await queue.claim(
            daemonID: daemon,
            models: ["scenes"],
            queues: ["default"],
            maximum: 4
        )
    }

    private let result = ItemResultRow(itemIndex: 0, outcome: .completed(json: #"{"score": 3}"#))

    @Test("a claim whose commit went unanswered is looked up, and its shard worked on")
    func claimCommit() async throws {
        proxy.cut(after: "COMMIT")
        let (daemon, shard) = try await claimedShard()
        #expect(proxy.cuts == 1)
        #expect(shard.items.count == 1)
        #expect(
            try await queue.checkpoint(shard.lease, judgements: [], results: [result]) == .ok
        )
        #expect(try await claim(daemon).isEmpty)
    }

    @Test("a claim cut before its commit leaves nothing behind")
    func claimItself() async throws {
        proxy.cut(after: "rewardd.claim_shards")
        await #expect(throws: PostgresError.self) { try await claimedShard() }
        let row = try connection.execute("SELECT state, attempts FROM rewardd.shard").only()
        #expect(try row.text("state") == "ready" && row.int("attempts") == 0)
    }

    @Test("a checkpoint without an answer is sent again and stored once")
    func checkpoint() async throws {
        let (_, shard) = try await claimedShard()
        proxy.cut(after: "rewardd.checkpoint")
        #expect(
            try await queue.checkpoint(shard.lease, judgements: [], results: [result]) == .ok
        )
        #expect(proxy.cuts == 1)
        let row = try connection.execute("SELECT items_done FROM rewardd.shard").only()
        #expect(try row.int("items_done") == 1)
    }

    @Test("a finish without an answer ends as unknown, not as lost")
    func finish() async throws {
        let (_, shard) = try await claimedShard()
        _ = try await queue.checkpoint(shard.lease, judgements: [], results: [result])
        proxy.cut(after: "rewardd.finish_shard")
        #expect(try await queue.finish(shard.lease, .done) == .unknown)
        let row = try connection.execute("SELECT state FROM rewardd.job").only()
        #expect(try row.text("state") == "completed")
    }
}
