import RewardModeling
import Testing

@Suite("rewardbench accuracy")
struct AccuracyCommandTests {
    @Test("exits with 1 and says which goals random weights miss")
    func missed() throws {
        let directory = try ScratchDirectory()
        let outcome = try RewardbenchProcess.run(
            [
                "accuracy", "--model", goldenCheckpoint, "--groups", "1", "--tasks",
                "image_understanding", "--max-tokens", "2", "--threads", "1",
            ],
            in: directory
        )
        #expect(outcome.status == 1, "\(outcome.messages)")
        #expect(outcome.output.contains("goals are missed:"))
        #expect(outcome.output.contains("image_understanding: pair accuracy, both orders: 0.0 %"))
        // No bar where there is no terminal.
        #expect(outcome.messages == "")
    }

    @Test("writes one JSON document with seed and digest")
    func json() throws {
        let directory = try ScratchDirectory()
        let outcome = try RewardbenchProcess.run(
            [
                "accuracy", "--model", goldenCheckpoint, "--groups", "1", "--tasks",
                "image_generation", "--max-tokens", "2", "--json", "--seed",
                "18446744073709551615",
            ],
            in: directory
        )
        #expect(outcome.status == 1, "\(outcome.messages)")
        guard case .object(let fields)? = PayloadValue(json: outcome.output.utf8),
            case .object(let model)? = fields["model"], case .string(let digest)? = model["digest"]
        else {
            Issue.record("\(outcome.output)")
            return
        }
        #expect(digest.count == 64)
        #expect(fields["seed"] == .string("18446744073709551615"))
        #expect(fields["goals_met"] == .bool(false))
    }

    @Test("exits with 3 and says where it looked for a model that is not there")
    func notFound() throws {
        let directory = try ScratchDirectory()
        let outcome = try RewardbenchProcess.run(["accuracy", "--model", "nowhere"], in: directory)
        #expect(outcome.status == 3)
        #expect(outcome.messages.contains("share/rewardd/models/nowhere/config.json"))
        #expect(outcome.messages.contains("deploy/models/nowhere/config.json"))
    }

    @Test("refuses tasks it does not know", arguments: ["image", "", "image_generation,"])
    func tasks(text: String) throws {
        let directory = try ScratchDirectory()
        let outcome = try RewardbenchProcess.run(
            ["accuracy", "--model", goldenCheckpoint, "--tasks", text],
            in: directory
        )
        #expect(outcome.status == 2)
        #expect(outcome.messages.contains("--tasks"))
    }
}
