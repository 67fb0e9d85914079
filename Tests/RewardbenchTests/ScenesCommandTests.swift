import Foundation
import Testing

@Suite("rewardbench scenes")
struct ScenesCommandTests {
    @Test("dataset writes pictures and lines, and not over a dataset")
    func dataset() throws {
        let directory = try ScratchDirectory()
        let arguments = [
            "scenes", "dataset", "--out", "data", "--groups", "3", "--seed", "5", "--side", "32",
            "--tasks", "image_generation,video_understanding", "--points", "2", "--pairs", "1",
            "--conversations", "1",
        ]
        let outcome = try RewardbenchProcess.run(arguments, in: directory)
        #expect(outcome.status == 0, "\(outcome.messages)")
        let lines = try directory.text("data/dataset.jsonl").split(separator: "\n")
        #expect(outcome.output.hasPrefix("\(lines.count) records of 3 groups"))
        #expect(lines.count >= 9)
        #expect(try directory.names("data/pictures").contains { $0.hasSuffix("-3.png") })
        let again = try RewardbenchProcess.run(arguments, in: directory)
        #expect(again.status == 1)
        #expect(again.messages.contains("expected no dataset there"))
    }

    @Test("picture writes a group with its grades", arguments: [true, false])
    func picture(ofClips: Bool) throws {
        let directory = try ScratchDirectory()
        let outcome = try RewardbenchProcess.run(
            [
                "scenes", "picture", "--out", "group", "--seed", "7", "--index", "3", "--side",
                "48", "--variants", "3",
            ] + (ofClips ? ["--clips"] : []),
            in: directory
        )
        #expect(outcome.status == 0, "\(outcome.messages)")
        #expect(try directory.text("group/group.txt") == outcome.output)
        #expect(outcome.output.contains("5 for variant 0: all right"))
        #expect(try directory.names("group").count == (ofClips ? 13 : 4))
    }

    @Test("base writes a whole model with random weights that accuracy can measure")
    func base() throws {
        let directory = try ScratchDirectory()
        let arguments = ["scenes", "base", "--like", goldenCheckpoint, "--seed", "9", "--out"]
        let outcome = try RewardbenchProcess.run(arguments + ["base/"], in: directory)
        #expect(outcome.status == 0, "\(outcome.messages)")
        let expected = try FileManager.default.contentsOfDirectory(atPath: goldenCheckpoint)
        #expect(try directory.names("base") == expected.sorted())
        #expect(try directory.names().filter { $0.hasPrefix("base") } == ["base"])

        let same = try RewardbenchProcess.run(arguments + ["again"], in: directory)
        #expect(same.status == 0)
        let weights = ["base", "again"].map {
            FileManager.default.contents(atPath: "\(directory.path)/\($0)/model.safetensors")
        }
        #expect(weights[0] != nil && weights[0] == weights[1])

        let measured = try RewardbenchProcess.run(
            [
                "accuracy", "--model", "./base", "--groups", "1", "--tasks", "image_generation",
                "--max-tokens", "1",
            ],
            in: directory
        )
        #expect(measured.status == 1, "\(measured.messages)")

        let refused = try RewardbenchProcess.run(arguments + ["base"], in: directory)
        #expect(refused.status == 4)
        #expect(refused.messages.contains("expected nothing there"))
    }

    @Test("tokenizer writes a file and prints the ids that a configuration names")
    func tokenizer() throws {
        let directory = try ScratchDirectory()
        let outcome = try RewardbenchProcess.run(
            [
                "scenes", "tokenizer", "--like", goldenCheckpoint, "--vocabulary", "300",
                "--groups", "5",
                "--out", "tokenizer.json",
            ],
            in: directory
        )
        #expect(outcome.status == 0, "\(outcome.messages)")
        #expect(outcome.output.hasSuffix("\"vocab_size\":300}\n"))
        #expect(outcome.output.contains("\"<|endoftext|>\":295"))
        #expect(try directory.text("tokenizer.json").contains("\"<video>\""))
    }
}
