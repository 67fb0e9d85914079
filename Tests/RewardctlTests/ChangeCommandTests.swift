import Foundation
import Postgres
import TestSupport
import Testing

@Suite("rewardctl cancel, hold, release, retry, queue and drain")
struct ChangeCommandTests {
    private let database: TemporaryDatabase

    init() throws {
        database = try TemporaryDatabase.migrated()
    }

    @Test("cancel says what became of each job and goes on after a refusal")
    func cancel() throws {
        let first = try submit()
        let second = try submit()
        let outcome = try run(["cancel", first, "999999", second, "--reason", "wrong model"])
        #expect(outcome.status == 3)
        #expect(outcome.lines == ["job \(first): cancelled", "job \(second): cancelled"])
        #expect(outcome.messages.hasPrefix("Error: job 999999: "))
        #expect(outcome.messages.contains("'rewardctl get jobs'"))
        let text = try run(["describe", "job", first]).output
        #expect(text.contains("wrong model"))
        #expect(try run(["watch", first]).status == 1)
    }

    @Test("a running job is asked to stop")
    func cancelRunning() throws {
        let id = try submit()
        try ScriptedWorker(database).work([], finishing: false)
        let outcome = try run(["cancel", id])
        #expect(outcome.status == 0)
        #expect(outcome.lines == ["job \(id): running, asked to stop"])
    }

    @Test("a job that does not stop is ended by force")
    func cancelByForce() throws {
        let id = try submit()
        try ScriptedWorker(database).work([], finishing: false)
        #expect(try run(["cancel", id]).status == 0)
        let outcome = try run(["cancel", id, "--force"])
        #expect(outcome.status == 0)
        #expect(outcome.lines == ["job \(id): cancelled"])
    }

    @Test("a held job says so, waits, and is released")
    func hold() throws {
        let id = try submit()
        let held = try run(["hold", id, "999999", "--reason", "not tonight"])
        #expect(held.status == 3)
        #expect(held.lines == ["job \(id): held"])
        #expect(try run(["get", "jobs", "--state", "held", "-o", "name"]).lines == [id])
        let text = try run(["describe", "job", id]).output
        #expect(text.contains("It is held. 'rewardctl release \(id)' takes it up again."))
        #expect(text.contains("not tonight"))
        #expect(try run(["release", id]).lines == ["job \(id): ready"])
        let again = try run(["release", id])
        #expect(again.status == 4)
        #expect(again.messages.hasPrefix("Error: job \(id): expected a held job, got one that is"))
    }

    @Test("an ended job cannot be cancelled; its failed items can be retried")
    func retry() throws {
        let id = try submit(items: 2)
        let early = try run(["retry", id])
        #expect(early.status == 4)
        #expect(early.messages.hasPrefix("Error: job \(id): expected a job that has ended"))
        try ScriptedWorker(database).work([
            ScriptedWorker.score(0, 3), ScriptedWorker.failure(1, "media_not_found", "gone"),
        ])
        #expect(try run(["cancel", id]).status == 4)
        let outcome = try run(["retry", id])
        #expect(outcome.status == 0)
        #expect(outcome.lines == ["job \(id): 1 item re-opened"])
        #expect(try run(["get", "jobs", id, "-o", "jsonl"]).output.contains(#""items_done":1"#))
    }

    @Test("queues are created, paused and resumed")
    func queues() throws {
        #expect(try run(["queue", "create", "nightly", "daily"]).status == 0)
        let paused = try run(["queue", "pause", "nightly", "nope"])
        #expect(paused.status == 3)
        #expect(paused.lines == ["queue nightly: paused"])
        #expect(paused.messages.contains("'rewardctl get queues'"))
        let list = try run(["get", "queues", "--no-headers"]).lines.map {
            $0.split(separator: " ").prefix(2).joined(separator: " ")
        }
        #expect(list == ["daily active", "default active", "nightly paused"])
        #expect(try run(["queue", "resume", "nightly"]).status == 0)
        #expect(!(try run(["get", "queues"]).output.contains("paused")))
    }

    @Test("a queue's limit and retention are set, shown and taken away")
    func queueSettings() throws {
        func row() throws -> [String] {
            try run(["get", "queues", "nightly", "--no-headers"]).output.split(separator: " ").map {
                $0.trimmingCharacters(in: .newlines)
            }
        }
        let made = try run([
            "queue", "create", "nightly", "--max-running", "4", "--retention", "30d",
        ])
        #expect(made.lines == ["queue nightly: created"])
        #expect(try row() == ["nightly", "active", "0", "0", "0", "4", "30d", "all"])
        #expect(
            try run(["queue", "set", "nightly", "--max-running", "9"]).lines == [
                "queue nightly: set"
            ]
        )
        #expect(try row().suffix(3) == ["9", "30d", "all"])
        let none = ["queue", "set", "nightly", "--max-running", "none", "--retention", "none"]
        #expect(try run(none).status == 0)
        #expect(try row().suffix(3) == ["none", "always", "all"])
        #expect(try run(["queue", "set", "nope", "--max-running", "1"]).status == 3)
        #expect(try run(["queue", "set", "nightly"]).status == 2)
        for wrong in ["0", "-1", "x", "1.5"] {
            #expect(try run(["queue", "set", "nightly", "--max-running=\(wrong)"]).status == 2)
        }
        #expect(try run(["queue", "set", "nightly", "--retention", "10s"]).status == 2)
        #expect(
            try run(["get", "queues", "nightly", "-o", "jsonl"]).output.contains(
                #""max_running":null,"retention_seconds":null,"submitters":[]"#
            )
        )
    }

    @Test("a queue is granted to roles and opened again")
    func grants() throws {
        #expect(try run(["queue", "create", "nightly"]).status == 0)
        let url = try database.makeLogin(memberOf: ["rewardd_submit"])
        let granted = try run(["queue", "grant", "nightly", "rewardd_work", "nobody of this name"])
        #expect(granted.status == 3)
        #expect(granted.lines == ["role rewardd_work: may submit to queue nightly"])
        #expect(granted.messages.contains(#"expected an existing role, got "nobody of this name""#))
        #expect(try run(["get", "queues", "nightly"]).output.contains("rewardd_work"))
        func submit() throws -> RewardctlProcess.Outcome {
            try RewardctlProcess.run(
                [
                    "submit", "point_score", "--task", "image_generation", "--model", "scenes",
                    "--queue", "nightly", "--items", "-",
                ],
                input: SubmitCommandTests.item,
                url: url
            )
        }
        let refused = try submit()
        #expect(refused.status == 6)
        #expect(
            refused.messages.contains("An administrator grants it with 'rewardctl queue grant'")
        )
        #expect(
            try run(["queue", "revoke", "nightly", "rewardd_work"]).lines == [
                "role rewardd_work: lost the last grant of queue nightly, which is open to every submitter now"
            ]
        )
        #expect(
            try run(["queue", "revoke", "nightly", "rewardd_work"]).output.contains("had no grant")
        )
        #expect(try submit().status == 0)
    }

    @Test("a daemon is drained")
    func drain() throws {
        let worker = try ScriptedWorker(database)
        let outcome = try run(["drain", "\(worker.daemonID)"])
        #expect(outcome.status == 0)
        #expect(outcome.lines == ["daemon \(worker.daemonID): draining"])
        #expect(try run(["get", "daemons"]).output.contains("draining"))
        #expect(try run(["drain", "999999"]).status == 3)
    }

    @Test("a submitter sees and changes its own jobs and nothing else")
    func permissions() throws {
        let foreign = try submit()
        let url = try database.makeLogin(memberOf: ["rewardd_submit"])
        func mine(_ arguments: [String]) throws -> RewardctlProcess.Outcome {
            try RewardctlProcess.run(arguments, input: SubmitCommandTests.item, url: url)
        }
        let own = try mine([
            "submit", "point_score", "--task", "image_generation", "--model", "m", "--items", "-",
        ])
        #expect(own.status == 0, "\(own.messages)")
        let id = try #require(own.lines.first)
        #expect(try mine(["get", "jobs", "-o", "name"]).lines == [id])
        #expect(try mine(["describe", "job", id]).status == 0)
        #expect(try mine(["cancel", foreign]).status == 3)
        #expect(try mine(["results", foreign]).status == 3)
        for arguments in [["queue", "pause", "default"], ["drain", "1"], ["get", "daemons"]] {
            let outcome = try mine(arguments)
            #expect(outcome.status == 6, "\(arguments)")
            #expect(outcome.messages.hasPrefix("Error: permission denied"), "\(outcome.messages)")
            #expect(outcome.messages.contains("rewardd_admin"))
        }
        let nobody = try database.makeLogin(memberOf: [])
        #expect(try RewardctlProcess.run(["get", "jobs"], url: nobody).status == 6)
    }

    private func run(_ arguments: [String]) throws -> RewardctlProcess.Outcome {
        try RewardctlProcess.run(arguments, url: database.url)
    }

    private func submit(items: Int = 1) throws -> String {
        let outcome = try RewardctlProcess.run(
            [
                "submit", "point_score", "--task", "image_generation", "--model", "scenes",
                "--items", "-",
            ],
            input: Array(repeating: SubmitCommandTests.item, count: items)
                .joined(separator: "\n"),
            url: database.url
        )
        return try #require(outcome.lines.first, "\(outcome.messages)")
    }
}
