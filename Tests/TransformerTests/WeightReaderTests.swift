import Foundation
import TensorKernels
import Testing

@testable import Transformer

@Suite("weights by canonical name")
struct WeightReaderTests {
    private let directory: CheckpointDirectory

    init() throws {
        directory = try CheckpointDirectory()
    }

    @Test(
        "every naming of every part leads to the same canonical name",
        arguments: [
            (
                "vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight",
                "vision.encoder.layers.0.mlp.fc1.weight"
            ),
            (
                "vision_tower.embeddings.patch_embedding.bias",
                "vision.embeddings.patch_embedding.bias"
            ),
            ("model.vision_tower.vision_model.post_layernorm.bias", "vision.post_layernorm.bias"),
            (
                "model.vision_tower.embeddings.patch_embedding.bias",
                "vision.embeddings.patch_embedding.bias"
            ),
            (
                "model.vision_tower.vision_tower.vision_model.encoder.layers.3.layer_norm1.weight",
                "vision.encoder.layers.3.layer_norm1.weight"
            ),
            ("multi_modal_projector.linear_1.weight", "projector.0.weight"),
            ("model.multi_modal_projector.linear_2.bias", "projector.1.bias"),
            ("model.mm_projector.0.weight", "projector.0.weight"),
            ("model.mm_projector.2.weight", "projector.1.weight"),
            ("image_newline", "image_newline"), ("model.image_newline", "image_newline"),
            (
                "language_model.model.layers.2.self_attn.q_proj.bias",
                "text.layers.2.self_attn.q_proj.bias"
            ),
            ("model.language_model.norm.weight", "text.norm.weight"),
            ("model.embed_tokens.weight", "text.embed_tokens.weight"),
            ("visual.blocks.0.norm1.weight", "vision.blocks.0.norm1.weight"),
            ("model.visual.blocks.0.norm1.weight", "vision.blocks.0.norm1.weight"),
            ("lm_head.weight", "lm_head.weight"),
            ("language_model.lm_head.weight", "lm_head.weight"),
        ]
    )
    func names(stored: String, canonical: String) {
        #expect(CanonicalTensorName.name(ofStored: stored) == canonical)
        #expect(CanonicalTensorName.storedNames(of: canonical).contains(stored))
    }

    @Test("reads both golden checkpoints to equal numbers")
    func goldens() throws {
        let readers = try ["hf-bf16", "orig-bf16-sharded"].map { name in
            try WeightReader(
                checkpoint: Checkpoint(directory: CheckpointGoldens.path + "/" + name)
            )
        }
        for reader in readers {
            #expect(reader.contains("lm_head.weight"))
            #expect(!reader.contains("vision.head.weight"))
            #expect(reader.shape(of: "text.embed_tokens.weight") == [1024, 128])
            let patches = try reader.matrix(
                "vision.embeddings.patch_embedding.weight",
                outputs: 48,
                inputs: 588
            )
            #expect(patches.outputs == 48 && patches.inputs == 588)
        }
        let norms = try readers.map { try $0.vector("text.norm.weight", count: 128) }
        let rows = try readers.map { reader in
            let table = try reader.table("text.embed_tokens.weight", rows: nil, columns: 128)
            #expect(table.rows == 1024)
            var row = Array(repeating: Float.nan, count: 128)
            row.withUnsafeMutableBufferPointer { buffer in
                if let base = buffer.baseAddress { table.row(1023, into: base) }
            }
            return row
        }
        #expect(rows[0] == rows[1])
        #expect(rows[0].allSatisfy { $0.isFinite } && rows[0].contains { $0 != 0 })
        for index in 0..<128 { #expect(norms[0].pointer[index] == norms[1].pointer[index]) }
    }

    @Test("widens f32, bf16 and f16 vectors exactly", arguments: ["F32", "BF16", "F16"])
    func types(type: String) throws {
        let numbers: [Float] = [0, -0.5, 1, 1.5, -2048]
        let data = numbers.flatMap { number -> [UInt8] in
            switch type {
            case "F32": withUnsafeBytes(of: number) { Array($0) }
            case "BF16":
                withUnsafeBytes(of: UInt16(number.bitPattern >> 16)) { Array($0) }
            default: withUnsafeBytes(of: Float16(number)) { Array($0) }
            }
        }
        let header =
            "{\"model.image_newline\": {\"dtype\": \"\(type)\", \"shape\": [5], "
            + "\"data_offsets\": [0, \(data.count)]}}"
        try directory.write(
            CheckpointDirectory.safetensors(header: header, data: data),
            to: "model.safetensors"
        )
        let vector = try reader().vector("image_newline", count: 5)
        #expect((0..<5).map { vector.pointer[$0] } == numbers)
    }

    @Test(
        "tied embeddings stand in for the output head, also when it is stored",
        arguments: [
            #"{"tie_word_embeddings": true}"#, #"{"text_config": {"tie_word_embeddings": true}}"#,
        ]
    )
    func tied(config: String) throws {
        try directory.writeTensors(
            [("model.embed_tokens.weight", [6, 4])],
            to: "model.safetensors"
        )
        #expect(try reader(config: config).contains("lm_head.weight"))
        #expect(try !reader(config: "{}").contains("lm_head.weight"))
        try directory.writeTensors(
            [("model.embed_tokens.weight", [6, 4]), ("lm_head.weight", [9, 4])],
            to: "model.safetensors"
        )
        #expect(try reader(config: config).shape(of: "lm_head.weight") == [6, 4])
        #expect(try reader(config: "{}").shape(of: "lm_head.weight") == [9, 4])
    }

    @Test("a missing tensor lists the names that were looked for")
    func missing() throws {
        try directory.writeTensors([("model.norm.weight", [2])], to: "model.safetensors")
        #expect {
            try reader().matrix("projector.0.weight", outputs: 2, inputs: 2)
        } throws: { error in
            let message = "\(error)"
            return message.contains("tensor 'projector.0.weight': expected one of")
                && message.contains("'model.mm_projector.0.weight'")
                && message.contains("'multi_modal_projector.linear_1.weight'")
        }
    }

    @Test("a wrong shape names both shapes and asks for the right config.json")
    func shapes() throws {
        try directory.writeTensors(
            [("model.norm.weight", [2]), ("lm_head.weight", [3, 2]), ("model.x", [2, 1, 1, 2])],
            to: "model.safetensors"
        )
        let reader = try reader()
        #expect {
            try reader.matrix("lm_head.weight", outputs: 3, inputs: 5)
        } throws: { error in
            "\(error)"
                == "model.safetensors: tensor 'lm_head.weight': expected shape [3, 5], got [3, 2]. "
                + "Is config.json from another checkpoint?"
        }
        #expect(throws: CheckpointError.self) { try reader.vector("text.norm.weight", count: 3) }
        #expect(throws: CheckpointError.self) { try reader.vector("lm_head.weight", count: 6) }
        #expect(throws: CheckpointError.self) {
            try reader.matrix("text.norm.weight", outputs: 2, inputs: 1)
        }
        #expect(throws: CheckpointError.self) {
            try reader.table("lm_head.weight", rows: 4, columns: 2)
        }
        #expect(try reader.matrix("text.x", outputs: 2, inputs: 2).inputs == 2)
    }

    @Test("refuses number types it does not compute with, and one tensor under two names")
    func others() throws {
        try directory.writeTensors(
            [("model.norm.weight", [2])],
            type: "I16",
            to: "model.safetensors"
        )
        #expect {
            try reader().vector("text.norm.weight", count: 2)
        } throws: { error in
            "\(error)".contains("expected F32, BF16 or F16, got 'I16'")
        }
        try directory.writeTensors(
            [("model.norm.weight", [2]), ("language_model.model.norm.weight", [2])],
            to: "model.safetensors"
        )
        #expect {
            try reader()
        } throws: { error in
            "\(error)".contains("expected one tensor for 'text.norm.weight'")
        }
    }

    private func reader(config: String = "{}") throws -> WeightReader {
        try directory.write(config, to: "config.json")
        return try WeightReader(checkpoint: Checkpoint(directory: directory.path))
    }
}
