import Foundation
import JSONReading
import Postgres
import TestSupport
import Testing

@Suite("rewardctl export")
struct ExportCommandTests {
    private let database: TemporaryDatabase
    let directory: URL

    init() throws {
        database = try TemporaryDatabase.migrated()
        directory = FileManager.default.temporaryDirectory
            .appending(path: "rewardctl-export-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    /// The bytes of a picture of one pixel; what it shows does not matter, how it starts does.
    private static let picture = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3])

    // MARK: - Formats

    @Test("trl rows are conversations with pictures, scores are numbers")
    func trl() throws {
        let job = try understandingJob(question: "What is it?")
        let rows = try exported(job, "trl", file: "train.jsonl", lines: true)
        #expect(rows.count == 2)
        #expect(
            keys(rows[0]) == [
                "images", "prompt", "chosen", "rejected", "score_chosen", "score_rejected",
                "margin",
            ]
        )
        #expect(
            rows[0].json == """
                {"images":["images/0.png"],"prompt":[{"role":"user","content":[{"type":"image"},\
                {"type":"text","text":"What is it?"}]}],"chosen":[{"role":"assistant","content":\
                [{"type":"text","text":"A dog."}]}],"rejected":[{"role":"assistant","content":\
                [{"type":"text","text":"A cat."}]}],"score_chosen":4.5,"score_rejected":3.25,\
                "margin":1.25}
                """
        )
        #expect(try Data(contentsOf: output.appending(path: "images/0.png")) == Self.picture)
    }

    @Test("llamafactory rows are ShareGPT with as many marks as pictures, whatever users write")
    func llamaFactory() throws {
        let job = try understandingJob(question: "Is <image> a word?")
        let rows = try exported(job, "llamafactory", file: "data.json", lines: false)
        #expect(keys(rows[0]) == ["conversations", "chosen", "rejected", "images", "videos"])
        #expect(
            rows[0].json == """
                {"conversations":[{"from":"human","value":"<image>\\nIs < image> a word?"}],\
                "chosen":{"from":"gpt","value":"A dog."},"rejected":{"from":"gpt","value":"A cat."},\
                "images":["images/0.png"],"videos":[]}
                """
        )
        let info = try JSONReader.read(
            Array(Data(contentsOf: output.appending(path: "dataset_info.json")))
        )
        #expect(info["rewardd"]?["file_name"]?.text == "data.json")
        #expect(info["rewardd"]?["ranking"] == .bool(true))
    }

    @Test("llava-dpo rows have the keys that UnifiedReward's trainer reads")
    func llavaDPO() throws {
        let job = try understandingJob(question: "What?")
        let rows = try exported(job, "llava-dpo", file: "dpo_data.json", lines: false)
        #expect(
            rows[0].json == """
                {"id":"i0","image":"images/0.png","prompt":"What?","chosen":"A dog.",\
                "rejected":"A cat.","chosen_score":4.5,"rejected_score":3.25}
                """
        )
    }

    @Test("diffusion-dpo rows have the columns its loader declares, scores as strings")
    func diffusion() throws {
        let job = try generationJob()
        let rows = try exported(job, "diffusion-dpo", file: "dpo_data.json", lines: false)
        #expect(
            rows[0].json == """
                {"id":"i0","caption":"a dog","jpg_0":"image_0_chosen.png",\
                "jpg_1":"image_0_rejected.png","label_0":1,"chosen_score":"4.5",\
                "rejected_score":"3.25"}
                """
        )
        for name in ["image_0_chosen.png", "image_0_rejected.png"] {
            #expect(
                FileManager.default.fileExists(
                    atPath: output.appending(path: "images_dpo/\(name)").path
                )
            )
        }
    }

    @Test("jsonl rows keep everything, with media in the directory")
    func jsonl() throws {
        let job = try generationJob()
        let rows = try exported(job, "jsonl", file: "pairs.jsonl", lines: true)
        #expect(
            rows[0].json == """
                {"item_index":0,"item_id":"i0","input":{"caption":"a dog"},"chosen_index":1,\
                "rejected_index":0,"chosen":"media/0_chosen.png","rejected":"media/0_rejected.png",\
                "chosen_score":4.5,"rejected_score":3.25,"margin":1.25,"evidence":{}}
                """
        )
    }

    @Test("frames of a clip become several pictures of one question")
    func frames() throws {
        let frames = #"{"frames":["\#(try file("f0.png"))","\#(try file("f1.png"))"]}"#
        let job = try job(
            task: "video_understanding",
            item: #"{"question":"q","video":\#(frames),"candidates":["a","b"]}"#
        )
        try work(chosen: #""b""#, rejected: #""a""#)
        let rows = try exported(job, "trl", file: "train.jsonl", lines: true)
        #expect(rows[0]["images"]?.json == #"["images/0_000.png","images/0_001.png"]"#)
        #expect(rows[0]["prompt"]?.json.components(separatedBy: #"{"type":"image"}"#).count == 3)
    }

    // MARK: - Media

    @Test("uploads are fetched by digest for who uploaded them")
    func uploads() throws {
        let digest = try database.connect().execute(
            "SELECT rewardd.put_media(\([UInt8](Self.picture))) AS digest"
        ).only().text("digest")
        let media = #"{"media":"\#(digest)"}"#
        let job = try job(
            task: "image_generation",
            item: #"{"caption":"c","candidates":[\#(media),\#(media)]}"#
        )
        try work(chosen: media, rejected: media)
        let rows = try exported(job, "jsonl", file: "pairs.jsonl", lines: true)
        #expect(rows[0]["chosen"]?.text == "media/0_chosen.png")
        #expect(try Data(contentsOf: output.appending(path: "media/0_chosen.png")) == Self.picture)
        let stream = try run(["export", job, "--format", "jsonl", "-o", "-"])
        #expect(stream.status == 4)
        #expect(stream.messages.contains("uploaded media"))
    }

    @Test("media can be linked, or left where they are")
    func links() throws {
        let job = try generationJob()
        let linked = try exported(
            job,
            "jsonl",
            file: "pairs.jsonl",
            lines: true,
            ["--media", "link"]
        )
        let name = try #require(linked[0]["chosen"]?.text)
        let target = try FileManager.default.destinationOfSymbolicLink(
            atPath: output.appending(path: name).path
        )
        #expect(target == directory.appending(path: "b.png").path)
        let named = try exported(
            job,
            "jsonl",
            file: "pairs.jsonl",
            lines: true,
            ["--media", "path"]
        )
        #expect(named[0]["chosen"]?.text == target)
        let stream = try run(["export", job, "--format", "diffusion-dpo", "-o", "-"])
        #expect(stream.status == 0, "\(stream.messages)")
        #expect(stream.output.contains(#""jpg_0":"\#(target)""#))
    }

    // MARK: - The directory

    @Test("the same command gives the same bytes, and a failed one leaves the earlier export")
    func repeated() throws {
        let job = try generationJob()
        _ = try exported(job, "jsonl", file: "pairs.jsonl", lines: true)
        let first = try snapshot()
        #expect(first.keys.contains("export.json"))
        _ = try exported(job, "jsonl", file: "pairs.jsonl", lines: true)
        #expect(try snapshot() == first)
        try FileManager.default.removeItem(at: directory.appending(path: "b.png"))
        let failed = try run(["export", job, "--format", "jsonl", "-o", output.path])
        #expect(failed.status == 1)
        #expect(failed.messages.contains("items[0]: expected a readable file"))
        #expect(failed.messages.contains("--media path"))
        #expect(try snapshot() == first)
        #expect(!FileManager.default.fileExists(atPath: output.path + ".part"))
    }

    @Test("a directory of other files and a file are left alone")
    func occupied() throws {
        let job = try generationJob()
        for place in [directory.path, directory.appending(path: "a.png").path] {
            let outcome = try run(["export", job, "--format", "jsonl", "-o", place])
            #expect(outcome.status == 4, "\(outcome.messages)")
            #expect(outcome.messages.contains("expected a new directory"))
        }
        #expect(
            FileManager.default.fileExists(atPath: directory.appending(path: "a.png").path)
        )
    }

    @Test("a job of another kind or task, and one that runs, are refused with what fits")
    func refusals() throws {
        let job = try generationJob(finishing: false)
        let running = try run(["export", job, "--format", "jsonl", "-o", output.path])
        #expect(running.status == 4)
        #expect(running.messages.contains("--partial"))
        let partial = try run(["export", job, "--format", "jsonl", "-o", output.path, "--partial"])
        #expect(partial.status == 0, "\(partial.messages)")
        let unfit = try run(["export", job, "--format", "trl", "-o", output.path])
        #expect(unfit.status == 4)
        #expect(unfit.messages.contains("Choose among diffusion-dpo, jsonl."))
        #expect(try run(["export", "999", "--format", "trl", "-o", "x"]).status == 3)
        #expect(try run(["export", job, "--format", "parquet", "-o", "x"]).status == 2)
    }

    // MARK: - Support

    var output: URL { directory.appending(path: "out") }

    private func run(_ arguments: [String]) throws -> RewardctlProcess.Outcome {
        try RewardctlProcess.run(arguments, url: database.url)
    }

    private func keys(_ node: JSONNode) -> [String] {
        guard case .object(let members) = node else { return [] }
        return members.map(\.name)
    }

    func exported(
        _ job: String,
        _ format: String,
        file: String,
        lines: Bool,
        _ extra: [String] = []
    ) throws -> [JSONNode] {
        let outcome = try run(["export", job, "--format", format, "-o", output.path] + extra)
        #expect(outcome.status == 0, "\(outcome.messages)")
        #expect(outcome.output.isEmpty)
        let bytes = try Data(contentsOf: output.appending(path: file))
        if lines {
            return try bytes.split(separator: 0x0A).map { try JSONReader.read(Array($0)) }
        }
        guard case .array(let rows) = try JSONReader.read(Array(bytes)) else { return [] }
        return rows
    }

    private func file(_ name: String) throws -> String {
        let place = directory.appending(path: name)
        try Self.picture.write(to: place)
        return place.path
    }

    private func generationJob(finishing: Bool = true) throws -> String {
        let first = try file("a.png")
        let second = try file("b.png")
        let job = try job(
            task: "image_generation",
            item: #"{"id":"i0","caption":"a dog","candidates":["\#(first)","\#(second)"]}"#
        )
        try work(
            chosen: #""\#(second)""#,
            rejected: #"{"path":"\#(first)"}"#,
            finishing: finishing
        )
        return job
    }

    func understandingJob(question: String, picture: String? = nil) throws -> String {
        let picture = try picture ?? file("q.png")
        let item = { (index: Int) in
            #"{"id":"i\#(index)","question":"\#(question)","image":"\#(picture)","#
                + #""candidates":["A cat.","A dog."]}"#
        }
        let job = try job(task: "image_understanding", item: item(0) + "\n" + item(1))
        try work(chosen: #""A dog.""#, rejected: #""A cat.""#, items: 2)
        return job
    }

    private func job(task: String, item: String) throws -> String {
        let outcome = try RewardctlProcess.run(
            ["submit", "build_pairs", "--task", task, "--model", "scenes", "--items", "-"],
            input: item,
            url: database.url
        )
        return try #require(outcome.lines.first, "\(outcome.messages)")
    }

    private func work(
        chosen: String,
        rejected: String,
        items: Int = 1,
        finishing: Bool = true
    ) throws {
        let results = (0..<items).map { index in
            """
            {"item_index":\(index),"state":"completed","error_code":null,"error":null,\
            "judgements":[],"result":{"pair":{}},"pair":{"chosen_index":1,"rejected_index":0,\
            "chosen":\(chosen),"rejected":\(rejected),"chosen_score":4.5,"rejected_score":3.25,\
            "margin":1.25,"evidence":{}}}
            """
        }
        try ScriptedWorker(database).work(results, finishing: finishing)
    }

    private func snapshot() throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: output.path) {
            let place = output.appending(path: name)
            if let bytes = try? Data(contentsOf: place) { files[name] = bytes }
        }
        return files
    }
}
