import Hashing
import RewardModeling
import Testing

@Suite("Item payloads")
struct ItemPayloadTests {
    private static let hex = String(repeating: "ab", count: 32)

    struct Accepted: Sendable, CustomStringConvertible {
        let kind: JudgingKind
        let task: JudgingTask
        let json: String
        let context: ItemContext
        let candidates: [Candidate]
        let paths: [String]
        var description: String { "\(kind.rawValue) \(task.rawValue)" }
    }

    static let accepted: [Accepted] = [
        Accepted(
            kind: .pointScore,
            task: .imageGeneration,
            json: #"{"caption":"a cube","image":"a.png"}"#,
            context: .generation(caption: "a cube"),
            candidates: [.media(.image(.path("a.png")))],
            paths: ["image"]
        ),
        Accepted(
            kind: .pointScore,
            task: .imageUnderstanding,
            json: #"{"question":"what?","image":{"path":"a.png"},"response":""}"#,
            context: .understanding(question: "what?", about: .image(.path("a.png"))),
            candidates: [.response("")],
            paths: ["response"]
        ),
        Accepted(
            kind: .pairRank,
            task: .imageGeneration,
            json: #"{"id":"7","caption":"c","first":"a","second":{"path":"b"}}"#,
            context: .generation(caption: "c"),
            candidates: [.media(.image(.path("a"))), .media(.image(.path("b")))],
            paths: ["first", "second"]
        ),
        Accepted(
            kind: .pairRank,
            task: .imageUnderstanding,
            json: #"{"question":"q","image":"i","first":"x","second":"y"}"#,
            context: .understanding(question: "q", about: .image(.path("i"))),
            candidates: [.response("x"), .response("y")],
            paths: ["first", "second"]
        ),
        Accepted(
            kind: .buildPairs,
            task: .imageGeneration,
            json: #"{"caption":"c","candidates":["a",{"path":"b"},"a"]}"#,
            context: .generation(caption: "c"),
            candidates: [
                .media(.image(.path("a"))), .media(.image(.path("b"))), .media(.image(.path("a"))),
            ],
            paths: ["candidates[0]", "candidates[1]", "candidates[2]"]
        ),
        Accepted(
            kind: .buildPairs,
            task: .imageUnderstanding,
            json: #"{"question":"q","image":"i","candidates":["x","y"]}"#,
            context: .understanding(question: "q", about: .image(.path("i"))),
            candidates: [.response("x"), .response("y")],
            paths: ["candidates[0]", "candidates[1]"]
        ),
        Accepted(
            kind: .pointScore,
            task: .videoGeneration,
            json: #"{"caption":"a cube","video":{"frames":["0.png","1.png"]}}"#,
            context: .generation(caption: "a cube"),
            candidates: [.media(.clip([.path("0.png"), .path("1.png")]))],
            paths: ["video"]
        ),
        Accepted(
            kind: .pointScore,
            task: .videoUnderstanding,
            json: #"{"question":"q","video":{"frames":[{"path":"a"},"b","a"]},"response":"r"}"#,
            context: .understanding(
                question: "q",
                about: .clip([.path("a"), .path("b"), .path("a")])
            ),
            candidates: [.response("r")],
            paths: ["response"]
        ),
        Accepted(
            kind: .pairRank,
            task: .videoGeneration,
            json: #"{"caption":"c","first":{"frames":["a","b"]},"second":{"frames":["c","d"]}}"#,
            context: .generation(caption: "c"),
            candidates: [
                .media(.clip([.path("a"), .path("b")])), .media(.clip([.path("c"), .path("d")])),
            ],
            paths: ["first", "second"]
        ),
        Accepted(
            kind: .pairRank,
            task: .videoUnderstanding,
            json: #"{"question":"q","video":{"frames":["a","b"]},"first":"x","second":"y"}"#,
            context: .understanding(question: "q", about: .clip([.path("a"), .path("b")])),
            candidates: [.response("x"), .response("y")],
            paths: ["first", "second"]
        ),
        Accepted(
            kind: .buildPairs,
            task: .videoGeneration,
            json: #"{"caption":"c","candidates":[{"frames":["a","b"]},{"frames":["c","d"]}]}"#,
            context: .generation(caption: "c"),
            candidates: [
                .media(.clip([.path("a"), .path("b")])), .media(.clip([.path("c"), .path("d")])),
            ],
            paths: ["candidates[0]", "candidates[1]"]
        ),
        Accepted(
            kind: .buildPairs,
            task: .videoUnderstanding,
            json: #"{"question":"q","video":{"frames":["a","b"]},"candidates":["x","y"]}"#,
            context: .understanding(question: "q", about: .clip([.path("a"), .path("b")])),
            candidates: [.response("x"), .response("y")],
            paths: ["candidates[0]", "candidates[1]"]
        ),
    ]

    @Test("every kind and task reads its own shape", arguments: accepted)
    func reads(sample: Accepted) throws {
        let item = try ItemPayload(json: sample.json.utf8, kind: sample.kind, task: sample.task)
        #expect(item.context == sample.context)
        #expect(item.candidates == sample.candidates)
        #expect(item.candidatePaths == sample.paths)
    }

    @Test("stored media are named by their digest")
    func storedMedia() throws {
        let json = #"{"caption":"c","image":{"media":"\#(Self.hex)"}}"#
        let item = try ItemPayload(json: json.utf8, kind: .pointScore, task: .imageGeneration)
        let digest = try #require(Digest(hex: Self.hex))
        #expect(item.candidates == [.media(.image(.stored(digest)))])
        #expect(item.candidates[0].json.json == #"{"media":"\#(Self.hex)"}"#)
    }

    @Test("a clip is written as it was read, its frames in their shortest form")
    func clipJSON() throws {
        let json =
            #"{"caption":"c","video":{"frames":[{"path":"a"},{"media":"\#(Self.hex)"},"b"]}}"#
        let item = try ItemPayload(json: json.utf8, kind: .pointScore, task: .videoGeneration)
        let clip = item.candidates[0].json
        #expect(clip.json == #"{"frames":["a",{"media":"\#(Self.hex)"},"b"]}"#)
        let again = try VisualReference(clip, path: "video", medium: .video)
        #expect(item.candidates == [.media(again)])
    }

    @Test(
        "a video is a path or an upload where a clip may stand",
        arguments: [#""a.mp4""#, #"{"path":"a.mp4"}"#, #"{"media":"\#(Self.hex)"}"#]
    )
    func videoFile(json: String) throws {
        let item = try ItemPayload(
            json: #"{"caption":"c","first":\#(json),"second":{"frames":["a","b"]}}"#.utf8,
            kind: .pairRank,
            task: .videoGeneration
        )
        let digest = try #require(Digest(hex: Self.hex))
        let reference: MediaReference = json.contains("media") ? .stored(digest) : .path("a.mp4")
        #expect(item.candidates[0] == .media(.video(reference)))
        let again = try VisualReference(item.candidates[0].json, path: "first", medium: .video)
        #expect(again == .video(reference))
    }

    @Test("a clip has 2 to 64 frames", arguments: [0, 1, 2, 64, 65])
    func frameCount(count: Int) throws {
        let frames = (0..<count).map { "\"\($0)\"" }.joined(separator: ",")
        let json = #"{"caption":"c","video":{"frames":[\#(frames)]}}"#
        func read() throws -> ItemPayload {
            try ItemPayload(json: json.utf8, kind: .pointScore, task: .videoGeneration)
        }
        if (2...64).contains(count) {
            #expect(try read().candidates.count == 1)
        } else {
            #expect(
                throws: RewardModelingError.invalidItem(
                    "video.frames: expected an array of 2 to 64, got an array of \(count)"
                )
            ) { try read() }
        }
    }

    @Test("the caller's id is kept")
    func id() throws {
        let item = try ItemPayload(
            json: #"{"id":"nightly/7","caption":"c","image":"i"}"#.utf8,
            kind: .pointScore,
            task: .imageGeneration
        )
        #expect(item.id == "nightly/7")
    }

    struct Refused: Sendable, CustomStringConvertible {
        let kind: JudgingKind
        let task: JudgingTask
        let json: String
        let sentence: String
        var description: String { sentence }

        init(
            _ json: String,
            _ sentence: String,
            _ kind: JudgingKind = .pairRank,
            _ task: JudgingTask = .imageGeneration
        ) {
            self.kind = kind
            self.task = task
            self.json = json
            self.sentence = sentence
        }
    }

    private static let longID = String(repeating: "é", count: 201)
    private static let tooMany = Array(repeating: "\"a\"", count: 65).joined(separator: ",")

    static let refused: [Refused] = [
        Refused("nonsense", "item: expected a JSON object, got 8 bytes of other text"),
        Refused("[1,2]", "item: expected an object, got an array of 2"),
        Refused(
            #"{"caption":"c","first":null,"second":"b"}"#,
            #"first: expected a string or an object with "path" or "media", got null"#
        ),
        Refused(
            #"{"caption":"c","first":"a"}"#,
            #"second: expected a string or an object with "path" or "media", got nothing"#
        ),
        Refused(
            #"{"caption":"c","first":"","second":"b"}"#,
            "first: expected the path of a file, got an empty string"
        ),
        Refused(
            #"{"caption":"c","first":{"path":""},"second":"b"}"#,
            "first.path: expected the path of a file, got an empty string"
        ),
        Refused(
            #"{"caption":"c","first":{"media":"abc"},"second":"b"}"#,
            "first.media: expected the 64 hexadecimal digits of a SHA-256, got the string \"abc\""
        ),
        Refused(
            #"{"caption":"c","first":{"path":"a","media":"b"},"second":"b"}"#,
            #"first: expected a string or an object with "path" or "media", "#
                + #"got an object with "media", "path""#
        ),
        Refused(
            #"{"caption":3,"first":"a","second":"b"}"#,
            "caption: expected a string, got the number 3"
        ),
        Refused(
            #"{"caption":"c","first":"a","second":"b","third":"c"}"#,
            #"third: expected one of "id", "label", "labels", "group", "caption", "first", "second", got an unknown field"#
        ),
        Refused(
            #"{"caption":"c","first":"a","second":"b","id":7}"#,
            "id: expected a string, got the number 7"
        ),
        Refused(
            #"{"caption":"c","first":"a","second":"b","id":"\#(longID)"}"#,
            "id: expected at most 200 characters, got 201"
        ),
        Refused(
            #"{"question":"q","image":true,"response":"r"}"#,
            #"image: expected a string or an object with "path" or "media", got true"#,
            .pointScore,
            .imageUnderstanding
        ),
        Refused(
            #"{"question":"q","image":"i","first":{"path":"x"},"second":"y"}"#,
            #"first: expected a string, got an object with "path""#,
            .pairRank,
            .imageUnderstanding
        ),
        Refused(
            #"{"caption":"c","candidates":["a"]}"#,
            "candidates: expected an array of 2 to 64, got an array of 1",
            .buildPairs
        ),
        Refused(
            #"{"caption":"c","candidates":[\#(tooMany)]}"#,
            "candidates: expected an array of 2 to 64, got an array of 65",
            .buildPairs
        ),
        Refused(
            #"{"caption":"c","candidates":"a"}"#,
            "candidates: expected an array of 2 to 64, got the string \"a\"",
            .buildPairs
        ),
        Refused(
            #"{"caption":"c","candidates":["a","b",7]}"#,
            #"candidates[2]: expected a string or an object with "path" or "#
                + #""media", got the number 7"#,
            .buildPairs
        ),
        Refused(
            #"{"question":"q","image":"i","candidates":["a",null]}"#,
            "candidates[1]: expected a string, got null",
            .buildPairs,
            .imageUnderstanding
        ),
        Refused(
            #"{"caption":"c","video":""}"#,
            "video: expected the path of a file, got an empty string",
            .pointScore,
            .videoGeneration
        ),
        Refused(
            #"{"caption":"c","image":{"frames":["a","b"]}}"#,
            #"image: expected one of "id", "label", "labels", "group", "caption", "video", got an unknown field"#,
            .pointScore,
            .videoGeneration
        ),
        Refused(
            #"{"caption":"c","image":{"frames":["a","b"]}}"#,
            #"image: expected a string or an object with "path" or "media", "#
                + #"got an object with "frames""#,
            .pointScore
        ),
        Refused(
            #"{"caption":"c","first":{"frames":["a","b"],"fps":8},"second":{"frames":["a","b"]}}"#,
            #"first: expected a string or an object with "path", "media" or "frames", "#
                + #"got an object with "fps", "frames""#,
            .pairRank,
            .videoGeneration
        ),
        Refused(
            #"{"caption":"c","candidates":[{"frames":["a","b"]},{"frames":["a","b","c",4]}]}"#,
            #"candidates[1].frames[3]: expected a string or an object with "path" or "media", "#
                + "got the number 4",
            .buildPairs,
            .videoGeneration
        ),
        Refused(
            #"{"caption":"c","candidates":[{"frames":["a","b"]},{"frames":["a",{"path":""}]}]}"#,
            "candidates[1].frames[1].path: expected the path of a file, got an empty string",
            .buildPairs,
            .videoGeneration
        ),
        Refused(
            #"{"question":"q","video":{"frames":["a",{"media":"7"}]},"response":"r"}"#,
            "video.frames[1].media: expected the 64 hexadecimal digits of a SHA-256, "
                + #"got the string "7""#,
            .pointScore,
            .videoUnderstanding
        ),
        Refused(
            #"{"question":"q","video":{"frames":{"0":"a"}},"response":"r"}"#,
            #"video.frames: expected an array of 2 to 64, got an object with "0""#,
            .pointScore,
            .videoUnderstanding
        ),
        Refused(
            #"{"question":"q","first":"x","second":"y"}"#,
            #"video: expected a string or an object with "path", "media" or "frames", got nothing"#,
            .pairRank,
            .videoUnderstanding
        ),
    ]

    @Test("what does not fit is refused by its path", arguments: refused)
    func refuses(sample: Refused) {
        #expect(throws: RewardModelingError.invalidItem(sample.sentence)) {
            try ItemPayload(json: sample.json.utf8, kind: sample.kind, task: sample.task)
        }
        #expect(RewardModelingError.invalidItem("").code == "invalid_item")
    }

    @Test("damaged payloads throw a sentence and never crash", arguments: 0..<40 as Range<UInt64>)
    func fuzz(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for sample in Self.accepted {
            for _ in 0..<20 {
                var bytes = Array(sample.json.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    let place = Int.random(in: 0..<bytes.count, using: &random)
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                    case 1:
                        bytes.insert(
                            bytes[Int.random(in: 0..<bytes.count, using: &random)],
                            at: place
                        )
                    default: if bytes.count > 1 { bytes.remove(at: place) }
                    }
                }
                do throws(RewardModelingError) {
                    _ = try ItemPayload(json: bytes, kind: sample.kind, task: sample.task)
                } catch {
                    #expect(error.message.contains(": expected "), "seed \(seed): \(error)")
                }
            }
        }
    }
}
