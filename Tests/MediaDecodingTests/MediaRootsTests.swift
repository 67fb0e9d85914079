import FoundationEssentials
import Glibc
import Testing

@testable import MediaDecoding

@Suite("Files are read below the media roots only")
final class MediaRootsTests {
    private let base: String
    private let limits = MediaLimits(maximumFileBytes: 1000)

    init() throws {
        base = "/tmp/rewardd-roots-\(UInt64.random(in: 0...UInt64.max))"
        for directory in ["/root/sub", "/outside", "/root-too"] {
            try FileManager.default.createDirectory(
                atPath: base + directory,
                withIntermediateDirectories: true
            )
        }
        for file in ["/root/a.png", "/root/sub/b.png", "/outside/secret", "/root-too/c.png"] {
            try Data(file.utf8).write(to: URL(filePath: base + file))
        }
        try Data(count: 1001).write(to: URL(filePath: base + "/root/large"))
        try Data(count: 1000).write(to: URL(filePath: base + "/root/full"))
        for (link, target) in [
            ("inside", "sub/b.png"), ("absolute", base + "/root/a.png"), ("out", "../outside"),
            ("secret", base + "/outside/secret"), ("dangling", base + "/outside/none"),
            ("loop", "loop"), ("proc", "/proc/self/exe"),
        ] {
            try #require(symlink(target, base + "/root/" + link) == 0)
        }
        try #require(symlink(base + "/root", base + "/alias") == 0)
        try #require(mkfifo(base + "/root/fifo", 0o600) == 0)
    }

    deinit { try? FileManager.default.removeItem(atPath: base) }

    @Test(
        "a file below the root is read, through links that stay below it",
        arguments: [
            ("root/a.png", "/root/a.png"), ("root/sub/b.png", "/root/sub/b.png"),
            ("root/sub/../a.png", "/root/a.png"), ("root//./a.png", "/root/a.png"),
            ("root/inside", "/root/sub/b.png"), ("root/absolute", "/root/a.png"),
            ("alias/a.png", "/root/a.png"), ("outside/../root/a.png", "/root/a.png"),
        ]
    )
    func reads(path: String, contents: String) throws {
        #expect(try read(path) == Array(contents.utf8))
    }

    @Test(
        "what does not lie below the root is refused alike, there or not",
        arguments: [
            "outside/secret", "outside/none", "root/../outside/secret", "root/out/secret",
            "root/out/none", "root/secret", "root/dangling", "root-too/c.png", "root/proc",
            "root/loop", "nowhere/at/all", "root/../outside/none/x",
        ]
    )
    func outside(path: String) {
        let error = #expect(throws: MediaError.self) { try read(path) }
        #expect(error?.code == "media_outside_roots", "\(path)")
        #expect(
            error?.message
                == "path '\(base)/\(path)': expected a path under a media root, got one that leads "
                + "elsewhere."
        )
    }

    @Test(
        "what is missing below the root is not found",
        arguments: ["root/none.png", "root/none/x.png", "root/sub/none", "root/a.png/x"]
    )
    func missing(path: String) {
        let error = #expect(throws: MediaError.self) { try read(path) }
        #expect(error?.code == "media_not_found", "\(path)")
    }

    @Test(
        "only regular files are read, without waiting",
        arguments: ["root/fifo", "root/sub", "root"]
    )
    func irregular(path: String) {
        let error = #expect(throws: MediaError.self) { try read(path) }
        #expect(error?.code == "media_unreadable", "\(path)")
        #expect(error?.message.contains("expected a regular file") == true)
    }

    @Test("the size limit holds")
    func size() throws {
        #expect(try read("root/full").count == 1000)
        let error = #expect(throws: MediaError.self) { try read("root/large") }
        #expect(error?.code == "media_too_large")
        #expect(error?.message.contains("expected at most 1000 bytes, got 1001") == true)
    }

    @Test("a file without permission is unreadable", .enabled(if: getuid() != 0))
    func permission() throws {
        try #require(chmod(base + "/root/a.png", 0) == 0)
        let error = #expect(throws: MediaError.self) { try read("root/a.png") }
        #expect(error?.code == "media_unreadable")
    }

    @Test("relative paths, embedded zeros and an empty list of roots read nothing")
    func nothing() {
        for path in ["root/a.png", "", "\(base)/root/a.png\u{0}", "~/a.png"] {
            let error = #expect(throws: MediaError.self) {
                try MediaRoots([base + "/root"]).read(path: path, limits: limits)
            }
            #expect(error?.code == "media_outside_roots")
        }
        for roots in [[], [base + "/not-there"]] {
            let error = #expect(throws: MediaError.self) {
                try MediaRoots(roots).read(path: base + "/root/a.png", limits: limits)
            }
            #expect(error?.code == "media_outside_roots")
        }
    }

    @Test("one of several roots is enough, and \"/\" is a root like any other")
    func several() throws {
        for roots in [[base + "/root-too", base + "/root/"], ["/"], ["/none", base]] {
            let bytes = try MediaRoots(roots).read(path: base + "/root/a.png", limits: limits)
            #expect(bytes == Array("/root/a.png".utf8))
        }
    }

    private func read(_ path: String) throws(MediaError) -> [UInt8] {
        try MediaRoots([base + "/root"]).read(path: "\(base)/\(path)", limits: limits)
    }
}
