import Foundation
import Testing

@testable import SyntheticScenes

@Suite("Datasets of scenes")
struct SceneDatasetTests {
    private func options(_ split: SceneSplit, groups: Int) -> SceneDatasetOptions {
        var options = SceneDatasetOptions(groups: groups, seed: 3, split: split)
        options.tasks = Set(SceneTask.allCases)
        options.side = 24
        return options
    }

    private func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "scenes-\(UUID().uuidString)"
        )
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(url.path)
    }

    private func lines(_ directory: String) throws -> [[String: Any]] {
        let text = try String(contentsOfFile: directory + "/dataset.jsonl", encoding: .utf8)
        return try text.split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
            return try #require(object as? [String: Any])
        }
    }

    @Test(
        "a written dataset has the documented fields and every picture it names",
        arguments: SceneSplit.allCases,
        [false, true]
    )
    func written(split: SceneSplit, writesChosen: Bool) throws {
        try withDirectory { directory in
            var options = options(split, groups: 6)
            options.writesChosen = writesChosen
            (options.inventories, options.maps, options.reasons) = (1, 1, 1)
            let dataset = SceneDataset(options)
            var steps: [Int] = []
            let count = try dataset.write(to: directory) { steps.append($0) }
            #expect(steps == steps.sorted() && steps.last == 6)
            let lines = try lines(directory)
            let records = dataset.flatMap(\.records)
            #expect(lines.count == count && records.count == count)
            #expect(Set(records.map(\.id)).count == count)
            let sides = writesChosen ? ["chosen", "rejected"] : ["first", "second", "verdict"]
            for (line, record) in zip(lines, records) {
                #expect(line["id"] as? String == record.id)
                #expect(line["task"] as? String == record.task.rawValue)
                #expect(line["split"] as? String == (split == .test ? nil : split.rawValue))
                let medium = record.task.isOfClips ? "video" : "image"
                let expected: [String]
                switch record.body {
                case .scoredMedia: expected = ["caption", medium, "score"]
                case .comparedMedia: expected = ["caption"] + sides
                case .scoredAnswer: expected = ["question", medium, "response", "score"]
                case .comparedAnswers: expected = ["question", medium] + sides
                case .conversation: expected = ["media", "prompt", "response"]
                }
                let common: Set = ["id", "task", "split"]
                #expect(Set(line.keys).subtracting(common) == Set(expected))
                for path in paths(in: line) {
                    let file = FileManager.default.contents(atPath: "\(directory)/\(path)")
                    #expect(file?.starts(with: [0x89, 0x50, 0x4E, 0x47]) == true, "\(path)")
                }
            }
        }
    }

    /// Everything in the line that names a file.
    private func paths(in value: Any) -> [String] {
        switch value {
        case let text as String: text.hasSuffix(".png") ? [text] : []
        case let list as [Any]: list.flatMap(paths)
        case let object as [String: Any]: object.values.flatMap(paths)
        default: []
        }
    }

    @Test("grades, verdicts and margins are spread as documented")
    func balance() {
        let dataset = SceneDataset(options(.train, groups: 240))
        var grades: [SceneTask: [Int: Int]] = [:]
        var verdicts: [SceneTask: [SceneVerdict: Int]] = [:]
        var margins: [Int: Int] = [:]
        for index in dataset.indices {
            for record in dataset.records(ofGroup: index) {
                switch record.body {
                case .scoredMedia(_, _, let grade), .scoredAnswer(_, _, _, let grade):
                    grades[record.task, default: [:]][grade, default: 0] += 1
                case .comparedMedia(_, _, _, let verdict, let margin),
                    .comparedAnswers(_, _, _, _, let verdict, let margin):
                    verdicts[record.task, default: [:]][verdict, default: 0] += 1
                    margins[margin, default: 0] += 1
                case .conversation: break
                }
            }
        }
        for task in SceneTask.allCases {
            let counts = grades[task] ?? [:]
            let total = counts.values.reduce(0, +)
            #expect(Set(counts.keys) == [1, 2, 3, 4, 5])
            for count in counts.values { #expect(count * 10 > total, "\(task) \(counts)") }
            let first = verdicts[task]?[.first] ?? 0
            let second = verdicts[task]?[.second] ?? 0
            #expect(abs(first - second) * 50 < first + second, "\(task) \(first) \(second)")
        }
        #expect(Set(margins.keys) == [1, 2, 3, 4])
        #expect((margins[1] ?? 0) > (margins[3] ?? 0))
    }

    @Test("pairs differ in their grades, and the better one is the verdict")
    func pairs() {
        let dataset = SceneDataset(options(.validation, groups: 30))
        for batch in dataset {
            for record in batch.records {
                for variant in record.variants { #expect(batch.media[variant] != nil) }
                guard
                    case .comparedMedia(let text, let first, let second, let verdict, let margin) =
                        record.body
                else { continue }
                let captions = batch.group.captions.joined().filter { $0.text == text }
                let differences = captions.map { caption in
                    batch.group.grade(caption, ofPicture: first).value
                        - batch.group.grade(caption, ofPicture: second).value
                }
                #expect(differences.contains(verdict == .first ? margin : -margin))
            }
        }
    }

    @Test("a batch holds one picture, or as many frames as were asked for")
    func frames() {
        var options = options(.test, groups: 9)
        options.frames = 5
        for (index, batch) in SceneDataset(options).enumerated() {
            #expect(batch.group.composition.isClip == (index % 3 == 2))
            for frames in batch.media.compactMap({ $0 }) {
                #expect(frames.count == (batch.group.composition.isClip ? 5 : 1))
                #expect(frames.allSatisfy { $0.side == 24 })
            }
        }
    }

    @Test("of pictures and clips, every so-many-th group is of clips")
    func clips() {
        for every in [2, 3, 5] {
            var options = options(.train, groups: 20)
            options.clipEvery = every
            for (index, batch) in SceneDataset(options).enumerated() {
                #expect(batch.group.composition.isClip == (index % every == every - 1))
            }
        }
    }

    @Test("a hard mix has more of what is hard to see, and the usual one is what is measured")
    func mixes() {
        /// Of what is wrong with pictures for the captions of a group, the share that is hard to see.
        func hardShare(_ mix: SceneMix) -> (differences: Double, faults: Double) {
            let generator = SceneGenerator(seed: 9, split: .train, mix: mix)
            var (differences, hard, faults, jagged) = (0.0, 0.0, 0.0, 0.0)
            for index in 0..<300 {
                let group = generator.group(index, ofClips: index.isMultiple(of: 2))
                for variant in group.variants.indices {
                    let fault = group.variants[variant].quality.fault
                    if fault != nil { faults += 1 }
                    if fault == .jagged { jagged += 1 }
                    for caption in group.captions.joined() {
                        let found = group.grade(caption, ofPicture: variant).differences
                        differences += Double(found.count)
                        hard += Double(
                            found.count { [.shape, .size, .texture, .background].contains($0) }
                        )
                    }
                }
            }
            return (hard / differences, jagged / faults)
        }
        let (usual, hard) = (hardShare(.usual), hardShare(.hard))
        #expect(hard.differences > usual.differences * 1.2, "\(usual) \(hard)")
        #expect(hard.faults > usual.faults * 1.8, "\(usual) \(hard)")
        #expect(SceneGenerator(seed: 9, split: .test).mix == .usual)
        #expect(SceneDatasetOptions(groups: 1, seed: 1, split: .train).mix == .usual)
    }

    @Test("a dataset is never written over another, and a bad place is named")
    func refusals() throws {
        try withDirectory { directory in
            let dataset = SceneDataset(options(.train, groups: 1))
            try dataset.write(to: directory)
            #expect {
                try dataset.write(to: directory)
            } throws: { error in
                "\(error)".contains("expected no dataset there") && "\(error)".contains(directory)
            }
            #expect {
                try dataset.write(to: directory + "/dataset.jsonl/below")
            } throws: { error in
                "\(error)".contains("/dataset.jsonl/below")
            }
        }
    }
}
