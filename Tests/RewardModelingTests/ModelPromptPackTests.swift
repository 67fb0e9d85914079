import Foundation
import RewardModeling
import Testing

/// A checkpoint directory may bring its own pack.
@Suite("Prompt packs of models")
struct ModelPromptPackTests {
    @Test("a directory without the file has none, and one that is not there neither")
    func absent() throws {
        let directory = try PackDirectory(nil)
        #expect(try PromptPack.read(directory: directory.path) == nil)
        #expect(try PromptPack.read(directory: directory.path + "/nowhere") == nil)
    }

    @Test("the file is read in the format of the built-in pack")
    func present() throws {
        let directory = try PackDirectory(Data(PackageSource.builtin))
        let pack = try #require(try PromptPack.read(directory: directory.path))
        #expect(pack == (try PromptPack.builtin()))
        let own = try PackDirectory(Data(PackSample().pack().utf8))
        let small = try #require(try PromptPack.read(directory: own.path))
        #expect(small.name == "test" && small.templates.count == 1)
        #expect {
            try small.template(.videoGeneration, .pairRank)
        } throws: {
            "\($0)".contains("expected a template for video_generation and pair_rank, got none")
        }
    }

    @Test("a malformed file is named with the path in it")
    func malformed() throws {
        var sample = PackSample()
        sample["text"] = .string("{caption}")
        let directory = try PackDirectory(Data(sample.pack().utf8))
        #expect {
            try PromptPack.read(directory: directory.path)
        } throws: {
            "\($0)".hasPrefix(
                "\(directory.path)/prompt_pack.json: templates[0].text: expected only"
            )
        }
        let cut = try PackDirectory(Data(sample.pack().utf8.dropLast(3)))
        #expect {
            try PromptPack.read(directory: cut.path)
        } throws: {
            "\($0)".hasPrefix("\(cut.path)/prompt_pack.json: prompt pack: expected a JSON object")
        }
    }

    @Test("what is no small file is refused without being read")
    func unreadable() throws {
        let large = try PackDirectory(Data(repeating: 0x20, count: (1 << 20) + 1))
        #expect {
            try PromptPack.read(directory: large.path)
        } throws: {
            "\($0)".contains("prompt_pack.json: expected at most 1048576 bytes, got 1048577")
        }
        let folder = try PackDirectory(nil)
        try FileManager.default.createDirectory(
            atPath: folder.path + "/prompt_pack.json",
            withIntermediateDirectories: false
        )
        #expect {
            try PromptPack.read(directory: folder.path)
        } throws: {
            ($0 as? RewardModelingError)?.code == "invalid_prompt_pack"
                && "\($0)".contains("prompt_pack.json: expected a regular file")
        }
    }
}

/// A directory that may hold a `prompt_pack.json`; gone with its last reference.
private final class PackDirectory {
    let path = FileManager.default.temporaryDirectory.path + "/pack-\(UUID().uuidString)"

    init(_ contents: Data?) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        if let contents {
            try contents.write(to: URL(filePath: path + "/prompt_pack.json"))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
