import Foundation
import Testing

@testable import Transformer

/// config.json of Qwen2.5-VL and Qwen3-VL, in every form it is written in.
@Suite("Configurations of Qwen-VL")
struct QwenConfigTests {
    private let directory: CheckpointDirectory

    init() throws { directory = try CheckpointDirectory() }

    @Test(
        "flat, flat and nested, and nested with rope_parameters say the same",
        arguments: ["hf-bf16", "hf-bf16-sharded", "hf-fp32"]
    )
    func qwen25Forms(form: String) throws {
        let config = try read(QwenGoldens.text("qwen2_5_vl", form + "/config.json"))
        #expect(config.family == .qwen25VL)
        #expect(config.llava == nil)
        #expect(config.text.hiddenSize == 128)
        #expect(config.text.headDimension == 64)
        #expect(config.text.keyValueHeadCount == 1)
        #expect(config.text.ropeTheta == 1_000_000)
        #expect(config.text.rotaryLayout == .contiguous([8, 12, 12]))
        #expect(config.text.hasProjectionBiases && !config.text.normsHeads)
        #expect(!config.text.tiesWordEmbeddings)
        #expect(config.endOfSequenceIDs == [964])
        guard case .qwen(let vision) = config.visual else {
            Issue.record("expected a Qwen tower")
            return
        }
        #expect(vision.hiddenSize == 48 && vision.intermediateSize == 76)
        #expect(vision.layerCount == 4 && vision.headCount == 2 && vision.patchSize == 14)
        #expect(vision.patchValues == 1176)
        #expect(vision.kind == .windowed(window: 4, wholeFrame: [1, 3], tokensPerSecond: 2))
    }

    @Test(
        "rope_scaling of 4.57 and rope_parameters of 5 say the same",
        arguments: ["hf-bf16", "hf-fp32"]
    )
    func qwen3Forms(form: String) throws {
        let config = try read(QwenGoldens.text("qwen3_vl", form + "/config.json"))
        #expect(config.family == .qwen3VL)
        #expect(config.text.hiddenSize == 96)
        #expect(config.text.headDimension == 64 && config.text.headCount == 4)
        #expect(config.text.ropeTheta == 5_000_000)
        #expect(config.text.rotaryLayout == .interleaved([12, 10, 10]))
        #expect(!config.text.hasProjectionBiases && config.text.normsHeads)
        #expect(config.text.tiesWordEmbeddings)
        #expect(config.contextLength == 262_144)
        guard case .qwen(let vision) = config.visual else {
            Issue.record("expected a Qwen tower")
            return
        }
        #expect(vision.kind == .deepstacked(gridSide: 16, deepstack: [0, 2]))
        #expect(vision.deepstackCount == 2 && vision.patchValues == 1536)
    }

    @Test("the end-of-sequence ids of generation_config.json may be a list")
    func endOfSequence() throws {
        for family in QwenGoldens.families {
            let config = try ModelConfig(directory: QwenGoldens.path(family, "hf-bf16"))
            #expect(config.endOfSequenceIDs == [964, 962])
        }
    }

    @Test("omitted keys have the reference's class defaults")
    func defaults() throws {
        let old = try read(
            #"{"model_type": "qwen2_5_vl", "rope_scaling": {"mrope_section": [16, 24, 24]}, "#
                + #""vision_config": {"out_hidden_size": 8192}}"#
        )
        #expect(old.text.hiddenSize == 8192 && old.text.layerCount == 80)
        #expect(old.text.ropeTheta == 1_000_000 && old.text.rmsNormEpsilon == 1e-5)
        guard case .qwen(let vision) = old.visual else { return }
        #expect(vision.layerCount == 32 && vision.intermediateSize == 3420)
        #expect(
            vision.kind
                == .windowed(window: 4, wholeFrame: [7, 15, 23, 31], tokensPerSecond: 4)
        )

        let shallow = try read(
            #"{"model_type": "qwen2_5_vl", "rope_scaling": {"mrope_section": [16, 24, 24]}, "#
                + #""vision_config": {"depth": 9, "out_hidden_size": 8192}}"#
        )
        guard case .qwen(let tower) = shallow.visual else { return }
        #expect(tower.kind == .windowed(window: 4, wholeFrame: [7], tokensPerSecond: 4))

        let new = try read(
            #"{"model_type": "qwen3_vl", "text_config": {"num_key_value_heads": 5}, "#
                + #""vision_config": {"out_hidden_size": 4096}}"#,
            expected: "text_config.num_key_value_heads"
        )
        #expect(new == nil)
        let whole = try read(
            #"{"model_type": "qwen3_vl", "text_config": {}, "#
                + #""vision_config": {"out_hidden_size": 4096}}"#
        )
        #expect(whole.text.headDimension == 128)
        #expect(whole.text.rotaryLayout == .interleaved([24, 20, 20]))
        guard case .qwen(let deep) = whole.visual else { return }
        #expect(deep.kind == .deepstacked(gridSide: 48, deepstack: [8, 16, 24]))
    }

    @Test(
        "refuses what cannot be or is not implemented, naming the key",
        arguments: [
            (
                "qwen2_5_vl", "[8, 12, 12]", "[8, 12, 13]",
                "rope_scaling.mrope_section: expected three"
            ),
            ("qwen2_5_vl", "[8, 12, 12]", "[]", "rope_scaling.mrope_section: expected three"),
            ("qwen2_5_vl", "[8, 12, 12]", "[1e300, 2, 3]", "rope_scaling.mrope_section: expected"),
            ("qwen2_5_vl", "\"mrope\"", "\"yarn\"", "rope_scaling.type: expected 'default' or"),
            ("qwen2_5_vl", "[1, 3]", "[1, 4]", "vision_config.fullatt_block_indexes[1]: expected"),
            ("qwen2_5_vl", "[1, 3]", "[1, 1]", "fullatt_block_indexes: expected each block once"),
            ("qwen2_5_vl", "\"window_size\": 112", "\"window_size\": 27", "window_size: expected"),
            ("qwen2_5_vl", "\"in_chans\": 3", "\"in_chans\": 4", "in_channels: expected"),
            ("qwen2_5_vl", "\"temporal_patch_size\": 2", "\"temporal_patch_size\": 1", "temporal"),
            ("qwen2_5_vl", "\"out_hidden_size\": 128", "\"out_hidden_size\": 64", "decoder's"),
            ("qwen2_5_vl", "\"vision_config\"", "\"vision\"", "vision_config: expected an object"),
            ("qwen2_5_vl", "\"num_heads\": 2", "\"num_heads\": 5", "num_heads: expected heads of"),
            ("qwen3_vl", "[12, 10, 10]", "[12, 10]", "text_config.rope_scaling.mrope_section"),
            ("qwen3_vl", "true, \"mrope", "false, \"mrope", "mrope_interleaved: expected true"),
            ("qwen3_vl", ": 256", ": 255", "num_position_embeddings: expected the square"),
            ("qwen3_vl", "[0, 2]", "[0, 2.5]", "deepstack_visual_indexes[1]: expected a whole"),
            ("qwen3_vl", "[0, 2]", "[0, 1, 2, 3]", "deepstack_visual_indexes: expected at most"),
            ("qwen3_vl", "\"attention_bias\": false", "\"attention_bias\": true", "attention_bias"),
            ("qwen3_vl", "Qwen3VLFor", "Qwen3VLMoeFor", "architectures[0]: expected"),
        ]
    )
    func refusals(
        family: String,
        original: String,
        replacement: String,
        sentence: String
    ) throws {
        let source = try QwenGoldens.text(family, "hf-bf16/config.json")
        let compact = try JSONSerialization.data(
            withJSONObject: JSONSerialization.jsonObject(with: Data(source.utf8)),
            options: [.sortedKeys]
        )
        let text = String(decoding: compact, as: UTF8.self)
            .replacingOccurrences(of: "\":", with: "\": ")
            .replacingOccurrences(of: ",", with: ", ")
        let changed = text.replacingOccurrences(of: original, with: replacement)
        #expect(changed != text)
        _ = try read(changed, expected: sentence)
    }

    @Test("seeded mutations are read to bounded numbers or refused with a sentence")
    func mutations() throws {
        let seed: UInt64 = 0x2_5_3
        var mutator = CheckpointMutator(seed: seed)
        let sources = try QwenGoldens.families.flatMap { family in
            try ["hf-bf16", "hf-fp32"].map { try QwenGoldens.text(family, $0 + "/config.json") }
        }
        var refused = 0
        for round in 0..<1600 {
            let source = sources[round % sources.count]
            let text =
                round % 8 < 4
                ? mutator.mutateValue(source)
                : String(decoding: mutator.mutate(Array(source.utf8)), as: UTF8.self)
            do {
                let config = try read(text)
                #expect(config.text.headCount * config.text.headDimension <= 1 << 20)
                if case .qwen(let vision) = config.visual {
                    #expect(vision.headDimension * vision.headCount == vision.hiddenSize)
                    #expect(vision.patchValues <= 6 << 12)
                }
            } catch let error as CheckpointError {
                refused += 1
                #expect(error.description.contains("config.json: "), "\(seed), \(round): \(error)")
            }
        }
        #expect(refused > 200)
    }

    private func read(_ text: String) throws -> ModelConfig {
        try directory.write(text, to: "config.json")
        return try ModelConfig(directory: directory.path)
    }

    /// Expects a refusal with a sentence.
    private func read(_ text: String, expected sentence: String) throws -> ModelConfig? {
        #expect {
            _ = try read(text)
        } throws: { error in
            "\(error)".hasPrefix("config.json: ") && "\(error)".contains(sentence)
        }
        return nil
    }
}
