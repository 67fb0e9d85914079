import Glibc
import JSONReading
import Testing

@testable import rewardctl

@Suite("rewardctl input")
struct RewardctlInputTests {
    @Test(
        "paths are completed and cleaned without touching the disk",
        arguments: [
            ("/a/b.png", "/a/b.png"), ("b.png", "/base/dir/b.png"),
            ("./x/../b.png", "/base/dir/b.png"),
            ("../b.png", "/base/b.png"), ("../../../../b.png", "/b.png"), ("/a//b/./c", "/a/b/c"),
        ]
    )
    func paths(path: String, expected: String) throws {
        let rules = MediaPaths(directory: "/base/dir", task: "image_generation")
        let item = JSONNode.object(["image": .string(path)])
        #expect(try rules.resolve(item)["image"]?.text == expected)
    }

    @Test("the frames of clips are completed like pictures")
    func frames() throws {
        let rules = MediaPaths(directory: "/base", task: "video_generation")
        let item = try JSONReader.read(
            Array(
                #"{"video":{"frames":["a",{"path":"b"}]},"candidates":[{"frames":["c","/d"]}]}"#
                    .utf8
            )
        )
        #expect(
            try rules.resolve(item).json
                == #"{"video":{"frames":["/base/a",{"path":"/base/b"}]},"#
                + #""candidates":[{"frames":["/base/c","/d"]}]}"#
        )
        let wrong = JSONNode.object([
            "first": .object(["frames": .array([.string("a"), .string("http://e.org/b.png")])])
        ])
        let error = #expect(throws: MediaPathError.self) { try rules.resolve(wrong) }
        #expect(error?.message.hasPrefix("first.frames[1]: expected the path of a file") == true)
    }

    @Test("so are the paths of video files")
    func videos() throws {
        let rules = MediaPaths(directory: "/base", task: "video_generation")
        let item = try JSONReader.read(
            Array(#"{"video":"a.mp4","candidates":[{"path":"b.webm"},"/c.gif"]}"#.utf8)
        )
        #expect(
            try rules.resolve(item).json
                == #"{"video":"/base/a.mp4","candidates":[{"path":"/base/b.webm"},"/c.gif"]}"#
        )
        let stored = try rules.replacing(item) { "digest of \($0)" }
        #expect(stored["video"]?["media"]?.text == "digest of a.mp4")
    }

    @Test("the directory of an items file is absolute")
    func directories() {
        func directory(_ path: String) -> String {
            MediaPaths.directory(ofItems: path, workingDirectory: "/home/pat")
        }
        #expect(directory("-") == "/home/pat")
        #expect(directory("items.jsonl") == "/home/pat")
        #expect(directory("sub/items.jsonl") == "/home/pat/sub")
        #expect(directory("../items.jsonl") == "/home")
        #expect(directory("/items.jsonl") == "/")
    }

    @Test(
        "times of day, dates and zones are understood",
        arguments: [
            ("2026-11-23T02:00:00Z", 1_795_399_200), ("2026-11-23T02:00Z", 1_795_399_200),
            ("2026-11-23 03:30:00+01:30", 1_795_399_200), ("2026-11-22T21:00-0500", 1_795_399_200),
        ]
    )
    func moments(text: String, expected: Int) {
        #expect(MomentText.parse(text, now: 0) == expected)
    }

    @Test("a time of day is the next one")
    func timeOfDay() throws {
        let now = 1_795_399_200
        for text in ["00:00", "02:00", "02:01", "23:59:59"] {
            let moment = try #require(MomentText.parse(text, now: now))
            #expect(moment > now && moment <= now + 86_400, "\(text)")
        }
    }

    @Test(
        "anything else is not a time",
        arguments: [
            "", "Z", "now", "epoch", "2026-13-01", "2026-02-30", "24:00", "12:60", "2026-11-23T",
            "2026-11-23T02", "02:00Z", "1795399200", "2026-11-23T02:00:00+2",
        ]
    )
    func notMoments(text: String) {
        #expect(MomentText.parse(text, now: 0) == nil)
    }

    @Test("an option that is a list is split at its commas")
    func listOptions() throws {
        let object = try JobOptions.object(
            ["tasks=image_generation,video_generation", "epochs=2"],
            lists: ["tasks"]
        )
        #expect(object.json == #"{"tasks":["image_generation","video_generation"],"epochs":2}"#)
    }

    @Test("options are typed as JSON where they spell a number or a boolean")
    func options() throws {
        let object = try JobOptions.object([
            "reuse=false", "margin_minimum=0.5", "answer=generate", "a=null", "b=", "c=x=y", "d=01",
        ])
        #expect(
            object.json
                == #"{"reuse":false,"margin_minimum":0.5,"answer":"generate","a":"null","b":"","c":"x=y","d":"01"}"#
        )
        for wrong in [["x"], ["=1"], ["a=1", "a=2"]] {
            #expect(throws: CommandFailure.self) { try JobOptions.object(wrong) }
        }
    }

    @Test(
        "a password is seen in every spelling of a URL",
        arguments: [
            ("postgres://u:p@h/db", true), ("postgresql://u@h/db", false),
            ("postgresql:///db?host=/tmp&user=u", false), ("postgresql://h/db?password=x", true),
            ("host=h user=u", false), ("host=h password = 'x'", true), ("", false),
            ("postgresql://h:5432/db", false), ("postgresql://u%3Ap@h/db", false),
            ("postgresql://h/db?sslpassword=x", true), ("postgresql://[::1]:5432/db", false),
        ]
    )
    func passwords(url: String, expected: Bool) {
        #expect(DatabaseLocation.hasPassword(url) == expected)
    }

    @Test("lines longer than the limit are refused")
    func longLine() throws {
        let file = try TemporaryFile(
            "{}\n" + String(repeating: "x", count: LineReader.longestLine + 1)
        )
        var reader = try LineReader(path: file.path)
        #expect(try reader.next() == Array("{}".utf8))
        let error = #expect(throws: CommandFailure.self) { _ = try reader.next() }
        #expect(error?.message.hasPrefix("\(file.path):2: expected lines of at most") == true)
    }
}
