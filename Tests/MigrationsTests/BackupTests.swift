import Foundation
import Postgres
import TestSupport
import Testing

@Suite("backup and restore")
struct BackupTests {
    @Test(
        "what was running when the backup was made is rescued in the restored database, under new tokens"
    )
    func restored() throws {
        let queue = try QueueFixture()
        let job = try queue.enqueue(items: 4, options: #"{"shard_size": 2}"#)
        let daemon = try queue.register()
        let leases = try queue.claim(daemon, max: 2)
        #expect(try queue.checkpoint(leases[0], completed: [0]) == "ok")

        let copy = try TemporaryDatabase.empty()
        let dump = "/tmp/rewardd-dump-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: dump) }
        try run("pg_dump", "--format=custom", "--file=\(dump)", queue.database.url)
        try run("pg_restore", "--exit-on-error", "--dbname=\(copy.url)", dump)

        // The old daemon is not there: its lease runs out, and its shards go to another.
        let restored = try QueueFixture(database: copy)
        #expect(try restored.kill(daemon) == 2)
        let other = try restored.register()
        #expect(other > daemon)
        let taken = try restored.claim(other, max: 2)
        #expect(taken.map(\.items).sorted { $0.count < $1.count } == [[1], [2, 3]])
        let last = leases.map(\.token).max() ?? 0
        #expect(taken.allSatisfy { $0.token > last })
        // Somebody who still believes in a lease of before the backup is refused.
        #expect(try restored.checkpoint(leases[1], completed: [2]) == "lost")
        for lease in taken {
            #expect(try restored.checkpoint(lease, completed: lease.items) == "ok")
            #expect(try restored.finish(lease, "done") == "ok")
        }
        #expect(try restored.status(job) == "completed 4 4 0")
        let next = try restored.enqueue()
        #expect(next > job)
    }

    private func run(_ words: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(words[0])")
    }
}
