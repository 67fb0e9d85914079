import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

/// Bad input in every place an operator or a submitter can put it.
@Suite("What a daemon refuses", .serialized)
struct DaemonRefusalTests {
    @Test("every bad picture and prompt fails its item by name, the other items finish")
    func badItems() throws {
        let bench = try Workbench()
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "rewardd-media-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ name: String, _ data: Data) throws -> String {
            let url = folder.appending(path: name)
            try data.write(to: url)
            return url.path
        }
        let good = try Data(
            contentsOf: URL(filePath: Repository.pictures + "/left-right-1.png")
        )
        let paths = [
            try write("good.png", good),
            folder.appending(path: "none.png").path,
            try write("text.png", Data("hello".utf8)),
            try write("cut.png", good.prefix(good.count / 2)),
            try write("huge.png", Self.pngHeader(side: 100_000)),
            Repository.pictures + "/left-right-1.png",
        ]
        var items = paths.map { ["caption": "a caption", "image": $0] }
        items.append([
            "caption": String(repeating: "word ", count: 15_000), "image": paths[0],
        ])
        let json = String(decoding: try JSONEncoder().encode(items), as: UTF8.self)
        let daemon = try bench.daemon(mediaRoot: folder.path)
        let job = try bench.enqueue(kind: "point_score", items: json)
        #expect(try bench.end(of: job, daemon: daemon) == "completed")
        let rows = try bench.connection.execute(
            """
            SELECT coalesce(error_code, state::text) AS word FROM rewardd.item_result
            WHERE job_id = \(job) ORDER BY item_index
            """
        ).map { try $0.text("word") }
        #expect(
            rows == [
                "completed", "media_not_found", "media_unreadable", "media_unreadable",
                "media_too_large", "media_outside_roots", "prompt_too_long",
            ]
        )
        #expect(daemon.process.isRunning)
    }

    @Test("a checkpoint cut in the middle ends the start with status 78 and a sentence")
    func cutCheckpoint() throws {
        let bench = try Workbench()
        let copy = FileManager.default.temporaryDirectory
            .appending(path: "rewardd-model-\(UUID().uuidString)")
        try FileManager.default.copyItem(
            at: URL(filePath: Repository.tinyCheckpoint),
            to: copy
        )
        defer { try? FileManager.default.removeItem(at: copy) }
        truncate(copy.appending(path: "model.safetensors").path, 500_000)
        let daemon = try bench.daemon(settings: "model.cut = \(copy.path)")
        #expect(daemon.wait() == 78)
        #expect(daemon.log.contains("model.safetensors: truncated"))
        #expect(daemon.log.contains("file has 500000"))
    }

    @Test("a schema newer or older than it knows ends the start with status 78 and both versions")
    func foreignSchema() throws {
        let bench = try Workbench()
        _ = try bench.connection.execute(
            "INSERT INTO rewardd.schema_version (version, name, breaking) VALUES (99, 'x', false)"
        )
        let newer = try bench.daemon()
        #expect(newer.wait() == 78)
        #expect(newer.log.contains("schema version 99"))
        #expect(newer.log.contains("Upgrade rewardd"))
        _ = try bench.connection.execute("DELETE FROM rewardd.schema_version WHERE version > 9")
        let older = try bench.daemon()
        #expect(older.wait() == 78)
        #expect(older.log.contains("schema version 9"))
        #expect(older.log.contains("rewardctl migrate"))
    }

    @Test("an unreachable database is waited for, and SIGTERM still ends with status 0")
    func unreachable() throws {
        let bench = try Workbench()
        let daemon = try DaemonProcess(
            database: "postgresql://127.0.0.1:1/none",
            mediaRoot: Repository.pictures
        )
        try bench.wait("the complaint", daemon: daemon) {
            daemon.log.contains("cannot connect to PostgreSQL at 127.0.0.1:1")
        }
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test("a model over the memory budget fails the job with both numbers, the daemon stays")
    func memoryBudget() throws {
        let bench = try Workbench()
        let daemon = try bench.daemon(settings: "memory.limit = 1MiB")
        let job = try bench.enqueue(kind: "point_score", items: Workbench.pointItems(2))
        #expect(try bench.end(of: job, daemon: daemon) == "failed")
        let error =
            try bench.text(
                "SELECT error AS t FROM rewardd.item_result WHERE job_id = \(job) LIMIT 1"
            ) ?? ""
        #expect(error.contains("expected at most 1048576 bytes of memory, needs"), "\(error)")
        #expect(daemon.process.isRunning)
    }

    /// A PNG that announces sides it does not have: signature, IHDR with its checksum, nothing else.
    private static func pngHeader(side: UInt32) -> Data {
        var chunk: [UInt8] = Array("IHDR".utf8)
        for value in [side, side] {
            withUnsafeBytes(of: value.bigEndian) { chunk.append(contentsOf: $0) }
        }
        chunk += [8, 2, 0, 0, 0]
        var bytes: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]
        bytes += chunk
        withUnsafeBytes(of: checksum(chunk).bigEndian) { bytes.append(contentsOf: $0) }
        return Data(bytes)
    }

    /// CRC-32 as PNG uses it (RFC 2083, appendix 15).
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var value = UInt32.max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
        }
        return ~value
    }
}
