import RewardModeling
import Testing

@testable import Training

@Suite("A training dataset")
struct DatasetTests {
    private static let lines = [
        #"{"task":"image_generation","caption":"a","image":"1.png","score":4,"scale":[0,10]}"#,
        #"{"task":"image_generation","caption":"a","first":"1.png","second":"2.png","verdict":"tie"}"#,
        #"{"id":"x","task":"image_understanding","question":"?","image":"3.png","chosen":"a","rejected":"b"}"#,
        #"{"task":"video_generation","caption":"a","video":{"frames":["4.png","5.png"]},"score":2}"#,
        #"{"task":"image_understanding","media":["3.png"],"prompt":"?","response":"!","split":"validation"}"#,
    ]

    private func read(_ text: String) throws -> Dataset {
        try Dataset(bytes: Array(text.utf8), name: "d.jsonl")
    }

    @Test("every shape of a line is read, empty lines are skipped and counted")
    func shapes() throws {
        let dataset = try read(Self.lines.joined(separator: "\n\n") + "\n")
        #expect(dataset.records.map(\.line) == [1, 3, 5, 7, 9])
        #expect(
            dataset.records.map(\.group) == [
                "image_generation/point_score", "image_generation/pair_rank",
                "image_understanding/pair_rank", "video_generation/point_score",
                "image_understanding/conversation",
            ]
        )
        guard case .pair(_, let verdict) = dataset.records[2].content else {
            Issue.record("chosen and rejected make a pair")
            return
        }
        #expect(verdict == .first)
        #expect(dataset.records[4].split == .validation)
    }

    @Test(
        "a malformed line is refused with its number and field",
        arguments: [
            (#"{"task":"painting","score":1}"#, "task: expected one of"),
            (#"{"score":1}"#, "task: expected one of"),
            (#"{"task":"image_generation"}"#, "score: expected a field that says the truth"),
            (
                #"{"task":"image_generation","caption":"a","image":"1","score":"4"}"#,
                "score: expected a number, got the string \"4\""
            ),
            (
                #"{"task":"image_generation","caption":"a","image":"1","score":11,"scale":[0,10]}"#,
                "score: expected a number from 0.0 to 10.0, got 11.0"
            ),
            (
                #"{"task":"image_generation","caption":"a","image":"1","score":1,"scale":[5,1]}"#,
                "scale: expected [minimum, maximum]"
            ),
            (
                #"{"task":"image_generation","caption":"a","image":7,"score":1}"#,
                "image: expected a string"
            ),
            (
                #"{"task":"image_generation","caption":"a","first":"1","second":"2","verdict":"left"}"#,
                "verdict: expected one of"
            ),
            (
                #"{"task":"image_generation","caption":"a","chosen":"1"}"#,
                "rejected: expected the worse candidate"
            ),
            (
                #"{"task":"image_generation","media":[],"prompt":"a","response":"b"}"#,
                "media: expected an array of 1 to 64"
            ),
            (
                #"{"task":"image_generation","caption":"a","image":"1","score":1,"colour":2}"#,
                "colour: expected one of"
            ),
            (#"["task"]"#, "expected a JSON object"), ("{", "expected a JSON object"),
        ]
    )
    func malformed(line: String, sentence: String) {
        let error = #expect(throws: TrainingError.self) {
            try read(Self.lines[0] + "\n" + line + "\n")
        }
        #expect(error?.code == "invalid_dataset")
        #expect(error?.message.hasPrefix("d.jsonl line 2: ") == true)
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "")")
    }

    @Test("no bytes crash the reader: every fault is a sentence")
    func fuzz() {
        var random = SplitMix64(seed: 20)
        let whole = Array(Self.lines.joined(separator: "\n").utf8)
        for round in 0..<3000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
            }
            do {
                _ = try Dataset(bytes: bytes, name: "d.jsonl")
            } catch {
                #expect(error.message.contains("d.jsonl"), "seed 20, round \(round)")
            }
        }
    }

    @Test("lines that share a picture, directly or through others, make one cluster")
    func clusters() throws {
        let pair = { (one: String, other: String) in
            """
            {"task":"image_generation","caption":"a","first":"\(one)","second":"\(other)","verdict":"first"}
            """
        }
        let text = [pair("a", "b"), pair("x", "y"), pair("c", "d"), pair("b", "c"), pair("z", "y")]
        let clusters = DatasetClusters(
            dataset: try read(text.joined(separator: "\n")),
            validationFraction: 0
        )
        #expect(clusters.train.map { $0.map(\.line) } == [[1, 3, 4], [2, 5]])
        #expect(clusters.validation.isEmpty)
    }

    @Test("a split in the file decides what is kept for validation, else the fraction does")
    func validation() throws {
        let given = DatasetClusters(
            dataset: try read(Self.lines.joined(separator: "\n")),
            validationFraction: 0.5
        )
        #expect(given.validation.map { $0.map(\.line) } == [[5]])
        let drawn = DatasetClusters(
            dataset: try read(Self.lines.dropLast().joined(separator: "\n")),
            validationFraction: 0.5
        )
        #expect(drawn.validation.count == 1 && drawn.train.count == 2)
        let marked = Self.lines.dropLast().map { $0.dropLast() + #","split":"train"}"# }
        let kept = DatasetClusters(
            dataset: try read(marked.joined(separator: "\n")),
            validationFraction: 0.5
        )
        #expect(kept.validation.isEmpty && kept.train.count == 3)
    }
}

@Suite("The plan of a run's steps")
struct StepPlanTests {
    @Test("a plan that would fill the memory is refused, and steps bound it")
    func endless() throws {
        var options = TrainingOptions()
        options.epochs = 1_000_000
        #expect(throws: Never.self) { try StepPlan.check(clusters: 10, options: options) }
        #expect {
            try StepPlan.check(clusters: 11, options: options)
        } throws: { error in
            "\(error)".contains("epochs") && "\(error)".contains("909090")
        }
        options.maximumSteps = 1000
        #expect(throws: Never.self) { try StepPlan.check(clusters: 11, options: options) }
    }

    private func plan(_ change: (inout TrainingOptions) -> Void) -> StepPlan {
        var options = TrainingOptions()
        options.batchSize = 10
        change(&options)
        return StepPlan(exampleCounts: [4, 7, 3, 9, 5, 2], options: options)
    }

    @Test("an epoch shows every cluster once, in an order that the seed decides")
    func epochs() {
        let plan = plan { $0.epochs = 2 }
        let shown = plan.batches.joined()
        #expect(shown.count == 12)
        #expect(Set(shown.prefix(6)) == Set(0..<6) && Set(shown.suffix(6)) == Set(0..<6))
        #expect(Array(shown.prefix(6)) != Array(shown.suffix(6)))
        #expect(plan.batches == self.plan { $0.epochs = 2 }.batches)
        #expect(
            plan.batches
                != self.plan {
                    $0.epochs = 2
                    $0.seed = 7
                }.batches
        )
    }

    @Test("accumulation joins batches to steps, and the number of steps can be limited")
    func steps() {
        let joined = plan { $0.accumulation = 2 }
        #expect(joined.steps == (joined.batches.count + 1) / 2)
        #expect(joined.batches(ofStep: joined.steps - 1).count >= 1)
        let limited = plan {
            $0.epochs = 100
            $0.maximumSteps = 3
        }
        #expect(limited.steps == 3)
    }
}
