import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

/// Video files through the bundled model: the frames of a file are worth what the same frames as pictures are.
@Suite(
    "Video files in a daemon",
    .enabled(
        if: FileManager.default.isExecutableFile(atPath: "/usr/bin/ffmpeg"),
        "ffmpeg is not installed and could not be: deploy/install-packages"
    )
)
struct DaemonVideoTests {
    private static let model = "model.scenes = \(Repository.root.path)/deploy/models/scenes"
    private static let caption = "a blue triangle appears, then a blue square"

    /// A folder of its own with the frames of drawn clips; removed with the value.
    private final class Clips {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "rewardd-video-\(UUID().uuidString)").resolvingSymlinksInPath()

        init() throws {
            try run(
                DaemonProcess.products.appending(path: "rewardbench").path,
                ["scenes", "picture", "--clips", "--frames", "8", "--out", folder.path]
            )
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        /// The frames of one variant as an item names them.
        func frames(_ variant: Int) -> String {
            let paths = (0..<8).map { "\"\(folder.path)/\(variant)-\($0).png\"" }
            return #"{"frames": [\#(paths.joined(separator: ", "))]}"#
        }

        /// The same frames in a file, without loss; `arguments` choose what else is in it.
        func encode(_ variant: Int, as name: String, _ arguments: [String]) throws -> String {
            let path = folder.appending(path: name).path
            try run(
                "/usr/bin/ffmpeg",
                ["-nostdin", "-v", "error", "-framerate", "8"]
                    + ["-i", "\(folder.path)/\(variant)-%d.png"] + arguments + [path]
            )
            return path
        }

        private func run(_ program: String, _ arguments: [String]) throws {
            let process = Process()
            process.executableURL = URL(filePath: program)
            process.arguments = arguments
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(program) \(arguments)")
        }
    }

    @Test("a file has the score of its frames, by path, by upload and in two containers")
    func sameScore() throws {
        let clips = try Clips()
        let bench = try Workbench()
        let daemon = try bench.daemon(settings: Self.model, mediaRoot: clips.folder.path)
        let mp4 = try clips.encode(1, as: "one.mp4", ["-c:v", "libx264rgb", "-qp", "0"])
        let webm = try clips.encode(
            1,
            as: "one.webm",
            ["-c:v", "libvpx-vp9", "-lossless", "1", "-pix_fmt", "gbrp"]
        )
        let submitter = try bench.submitter()
        let bytes = try Data(contentsOf: URL(filePath: mp4))
        let stored = try submitter.execute(
            "SELECT rewardd.put_media(\([UInt8](bytes))) AS t"
        )[0].text("t")
        let videos = [
            clips.frames(1), "\"\(mp4)\"", #"{"path": "\#(webm)"}"#, #"{"media": "\#(stored)"}"#,
        ]
        let items = videos.map { #"{"caption": "\#(Self.caption)", "video": \#($0)}"# }
        let job = try bench.enqueue(
            kind: "point_score",
            task: "video_generation",
            model: "scenes",
            items: "[\(items.joined(separator: ","))]",
            options: #"{"frames": 8}"#,
            as: submitter
        )
        #expect(try bench.end(of: job, daemon: daemon) == "completed")
        let rows = try bench.connection.execute(
            """
            SELECT (result - 'reused')::text AS t FROM rewardd.item_result
            WHERE job_id = \(job) AND error_code IS NULL ORDER BY item_index
            """
        )
        #expect(rows.count == 4, "\(daemon.log)")
        let results = try rows.map { try $0.text("t") }
        #expect(Set(results).count == 1 && results[0].contains("\"score\""), "\(results)")
        // The upload is the same file as the first path: the same question, asked once.
        #expect(try judgementCount(job, bench) == 3)
    }

    private func judgementCount(_ job: Int64, _ bench: Workbench) throws -> Int64 {
        try bench.number("SELECT count(*) AS n FROM rewardd.judgement WHERE job_id = \(job)")
    }

    /// The model's own prompts ask for four frames of a video.
    @Test("sampling is part of the question; what is wrong with a video fails its item by name")
    func samplingAndFailures() throws {
        let clips = try Clips()
        let bench = try Workbench()
        let daemon = try bench.daemon(settings: Self.model, mediaRoot: clips.folder.path)
        let mp4 = try clips.encode(0, as: "zero.mp4", ["-c:v", "libx264rgb", "-qp", "0"])
        let short = try clips.encode(0, as: "short.mp4", ["-frames:v", "3"])
        let whole = try Data(contentsOf: URL(filePath: mp4))
        let cut = clips.folder.appending(path: "cut.mp4").path
        try whole.prefix(whole.count / 2).write(to: URL(filePath: cut))
        let items = [mp4, short, cut, "\(clips.folder.path)/none.mp4", "/etc/passwd"]
            .map { #"{"caption": "\#(Self.caption)", "video": "\#($0)"}"# }
        for (options, judgements) in [
            ("{}", 1), ("{}", 0), (#"{"sampling": "segments", "frames": 4}"#, 1),
        ] {
            let job = try bench.enqueue(
                kind: "point_score",
                task: "video_generation",
                model: "scenes",
                items: "[\(items.joined(separator: ","))]",
                options: options
            )
            #expect(try bench.end(of: job, daemon: daemon) == "completed")
            let codes = try bench.text(
                """
                SELECT string_agg(coalesce(error_code, 'scored'), ' ' ORDER BY item_index) AS t
                FROM rewardd.item_result WHERE job_id = \(job)
                """
            )
            #expect(
                codes?.split(separator: " ") == [
                    "scored", "media_too_short", "media_unreadable", "media_not_found",
                    "media_outside_roots",
                ]
            )
            #expect(try judgementCount(job, bench) == judgements)
        }
    }
}
