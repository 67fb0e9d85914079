import Foundation
import Hashing
import Testing

@testable import Transformer

@Suite("checkpoint directories")
struct CheckpointTests {
    private let directory: CheckpointDirectory

    init() throws {
        directory = try CheckpointDirectory()
    }

    @Test("a sharded checkpoint has the same tensors as a single file, under other names")
    func goldenShards() throws {
        let single = try Checkpoint(directory: CheckpointGoldens.path + "/hf-bf16")
        let sharded = try Checkpoint(directory: CheckpointGoldens.path + "/orig-bf16-sharded")
        #expect(single.tensorNames.count == sharded.tensorNames.count)
        let canonical = { (checkpoint: Checkpoint) in
            Dictionary(
                checkpoint.tensorNames.compactMap { name in
                    CanonicalTensorName.name(ofStored: name).flatMap { canonical in
                        checkpoint.tensor(name).map { (canonical, Array($0.bytes)) }
                    }
                },
                uniquingKeysWith: { first, _ in first }
            )
        }
        let tensors = canonical(single)
        #expect(tensors.count == single.tensorNames.count)
        #expect(tensors == canonical(sharded))
        #expect(Set(sharded.tensorNames.compactMap { sharded.tensor($0)?.file }).count == 3)
        #expect(single.tensor("none") == nil)
    }

    @Test(
        "an index may name plain files only",
        arguments: ["../x.safetensors", "/etc/passwd", "a/b", "", ".", ".."]
    )
    func confinement(name: String) throws {
        try directory.write("{\"weight_map\": {\"a\": \"\(name)\"}}", to: CheckpointIndex.fileName)
        #expect {
            try Checkpoint(directory: directory.path)
        } throws: { error in
            "\(error)".contains("weight_map['a']: expected the name of a file in the checkpoint's")
        }
    }

    @Test("a missing shard, a missing tensor and a missing checkpoint are named")
    func missing() throws {
        #expect {
            try Checkpoint(directory: directory.path)
        } throws: { error in
            "\(error)".contains("expected model.safetensors or model.safetensors.index.json")
        }
        try directory.write(
            #"{"weight_map": {"a": "s1.safetensors", "b": "s2.safetensors"}}"#,
            to: CheckpointIndex.fileName
        )
        try directory.writeTensors([("a", [2])], to: "s1.safetensors")
        #expect {
            try Checkpoint(directory: directory.path)
        } throws: { error in
            "\(error)".contains("s2.safetensors: No such file")
        }
        try directory.writeTensors([("c", [2])], to: "s2.safetensors")
        #expect {
            try Checkpoint(directory: directory.path)
        } throws: { error in
            "\(error)".hasPrefix("s2.safetensors: tensor 'b'")
        }
        try directory.write("[]", to: CheckpointIndex.fileName)
        #expect(throws: CheckpointError.self) { try Checkpoint(directory: directory.path) }
    }

    @Test("the digest follows every byte and name that shapes an answer, and nothing else")
    func digest() throws {
        try directory.writeTensors([("a", [2])], to: "model.safetensors")
        try directory.write("{}", to: "config.json")
        let digest = { try Checkpoint(directory: directory.path).digest() }
        let first = try digest()
        #expect(try digest() == first)
        try directory.write("notes", to: "README.md")
        #expect(try digest() == first)
        try directory.write("{ }", to: "config.json")
        let second = try digest()
        #expect(second != first)
        try directory.write("{}", to: "config.json")
        #expect(try digest() == first)
        try directory.write("{}", to: "preprocessor_config.json")
        #expect(try digest() != first)
        try FileManager.default.removeItem(atPath: directory.path + "/preprocessor_config.json")
        try directory.writeTensors([("b", [2])], to: "model.safetensors")
        #expect(try digest() != first)
    }
}
