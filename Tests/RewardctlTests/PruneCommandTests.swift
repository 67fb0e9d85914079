import Postgres
import TestSupport
import Testing

@Suite("rewardctl prune")
struct PruneCommandTests {
    let database: TemporaryDatabase

    init() throws {
        database = try TemporaryDatabase.migrated()
    }

    private func run(_ arguments: [String]) throws -> RewardctlProcess.Outcome {
        try RewardctlProcess.run(arguments, url: database.url)
    }

    /// A job that was cancelled three days ago.
    private func ended(queue: String = "default") throws -> String {
        let outcome = try RewardctlProcess.run(
            [
                "submit", "point_score", "--task", "image_generation", "--model", "scenes",
                "--queue", queue, "--items", "-",
            ],
            input: SubmitCommandTests.item,
            url: database.url
        )
        let id = try #require(outcome.lines.first)
        #expect(try run(["cancel", id]).status == 0)
        try database.connect().execute(
            "UPDATE rewardd.job SET finished_at = now() - interval '3 days' WHERE job_id = \(Int(id) ?? 0)"
        )
        return id
    }

    @Test("says what would go, and removes it")
    func prune() throws {
        #expect(try run(["queue", "create", "nightly"]).status == 0)
        let first = try ended()
        let second = try ended(queue: "nightly")
        let dry = try run(["prune", "--older-than", "2d", "--dry-run"])
        #expect(
            dry.lines == [
                "queue default: 1 job, 1 item, the oldest ended 3d ago",
                "queue nightly: 1 job, 1 item, the oldest ended 3d ago",
            ]
        )
        let one = try run(["prune", "--older-than", "2d", "--queue", "nightly"])
        #expect(one.status == 0)
        #expect(one.output.hasPrefix("removed 1 job, "))
        #expect(try run(["get", "jobs", second]).status == 3)
        #expect(try run(["get", "jobs", first]).status == 0)
        #expect(try run(["prune", "--older-than", "7d"]).lines == ["removed 0 jobs, 0 rows"])
        let none = try run(["prune", "--older-than", "7d", "--dry-run"])
        #expect(none.status == 0 && none.messages.contains("Nothing to remove."))
        #expect(try run(["prune", "--older-than", "2d"]).status == 0)
        #expect(try run(["get", "jobs", first]).status == 3)
    }

    @Test("refuses a senseless age, an unknown queue and who may not")
    func refusals() throws {
        for age in ["0", "5s", "soon", "-1d"] {
            #expect(try run(["prune", "--older-than=\(age)"]).status == 2, "\(age)")
        }
        #expect(try run(["prune"]).status == 2)
        #expect(try run(["prune", "--older-than", "1d", "--queue", "nope"]).status == 3)
        let submitter = try database.makeLogin(memberOf: ["rewardd_submit"])
        let denied = try RewardctlProcess.run(["prune", "--older-than", "1d"], url: submitter)
        #expect(denied.status == 6)
    }

    @Test("doctor names jobs that nobody removes")
    func doctor() throws {
        _ = try ended()
        #expect(try run(["queue", "set", "default", "--retention", "1d"]).status == 0)
        let outcome = try run(["doctor"])
        #expect(outcome.output.contains("warning: queue 'default'"), "\(outcome.output)")
        #expect(outcome.output.contains("1 job, the oldest overdue for 2d"), "\(outcome.output)")
        #expect(try run(["prune", "--older-than", "1d"]).status == 0)
        #expect(!(try run(["doctor"]).output.contains("queue 'default'")))
    }
}
