import Foundation
import Testing

@testable import Transformer

@Suite("model configuration")
struct ModelConfigTests {
    private let directory: CheckpointDirectory

    init() throws {
        directory = try CheckpointDirectory()
    }

    @Test(
        "reads the same dimensions from every form of the golden model",
        arguments: ["hf-bf16", "hf-fp32", "orig-bf16-sharded"]
    )
    func goldens(name: String) throws {
        let config = try ModelConfig(directory: CheckpointGoldens.path + "/" + name)
        let llava = try #require(config.llava)
        let isOriginal = name.hasPrefix("orig")
        #expect(config.family == (isOriginal ? .llavaQwen : .llavaOneVision))
        #expect(config.modelType == (isOriginal ? "llava_qwen" : "llava_onevision"))
        #expect(config.text.hiddenSize == 128)
        #expect(config.text.intermediateSize == 144)
        #expect(config.text.layerCount == 3)
        #expect(config.text.headCount == 2)
        #expect(config.text.keyValueHeadCount == 1)
        #expect(config.text.headDimension == 64)
        #expect(config.text.vocabularySize == 1024)
        #expect(config.text.rmsNormEpsilon == 1e-6)
        #expect(config.text.ropeTheta == 1e6)
        #expect(!config.text.tiesWordEmbeddings)
        #expect(llava.vision.hiddenSize == 48)
        #expect(llava.vision.intermediateSize == 80)
        #expect(llava.vision.layerCount == 3)
        #expect(llava.vision.headCount == 2)
        #expect(llava.vision.imageSize == 104)
        #expect(llava.vision.gridSide == 7)
        #expect(llava.vision.layerNormEpsilon == 1e-6)
        #expect(llava.imageGridPinpoints.count == 36)
        #expect(llava.maximumTiles == 9)
        #expect(llava.imageTokenID == (isOriginal ? nil : 965))
        #expect(config.endOfSequenceIDs == (name == "hf-fp32" ? [964] : [964, 962]))
        #expect(config.contextLength == 32_768)
    }

    @Test("a published original checkpoint is SigLIP so400m by name, tilings given as a range")
    func publishedOriginal() throws {
        let config = try read(Self.published)
        let llava = try #require(config.llava)
        #expect(config.family == .llavaQwen)
        #expect(llava.vision == .siglipSo400m)
        #expect(llava.vision.gridSide == 27)
        #expect(config.text.headDimension == 128)
        #expect(llava.imageGridPinpoints.count == 36)
        #expect(llava.imageGridPinpoints[1] == GridSize(height: 768, width: 384))
        #expect(config.contextLength == 16_384)
        #expect(config.endOfSequenceIDs == [151_645])
        #expect(llava.imageTokenID == nil)
    }

    @Test("omitted keys have the reference's class defaults")
    func defaults() throws {
        let config = try read(
            #"{"architectures": ["LlavaOnevisionForConditionalGeneration"], "text_config": {}, "#
                + #""vision_config": {"image_size": 384, "patch_size": 14}}"#
        )
        let llava = try #require(config.llava)
        #expect(config.text.hiddenSize == 4096)
        #expect(config.text.keyValueHeadCount == 32)
        #expect(config.text.ropeTheta == 10_000)
        #expect(config.text.vocabularySize == 151_936)
        #expect(llava.vision.hiddenSize == 768)
        #expect(llava.vision.layerCount == 12)
        #expect(llava.imageGridPinpoints.count == 36)
        #expect(llava.imageTokenID == 151_646)
        #expect(config.endOfSequenceIDs.isEmpty)
    }

    @Test(
        "refuses what is not implemented or cannot be, naming the key",
        arguments: [
            (
                "LlavaQwenForCausalLM", "Qwen2VLForConditionalGeneration",
                "architectures[0]: expected 'LlavaOnevisionForConditionalGeneration', 'LlavaQwenForCausalLM', 'Qwen2_5_VLForConditionalGeneration' or 'Qwen3VLForConditionalGeneration', got 'Qwen2VLForConditionalGeneration'"
            ),
            ("LlavaQwenForCausalLM", "LlavaForConditionalGeneration", "architectures[0]: expected"),
            (
                #""hidden_size": 3584"#, #""hidden_size": 0"#,
                "hidden_size: expected a whole number from 1 to 65536, got 0"
            ),
            (
                #""hidden_size": 3584"#, #""hidden_size": 3585"#,
                "num_attention_heads: expected a divisor of hidden_size 3585, got 28"
            ),
            (
                #""hidden_size": 3584"#, #""hidden_size": 28"#,
                "head_dim: expected a whole number from 2"
            ),
            (
                #""hidden_size": 3584"#, #""hidden_size": "a""#,
                "hidden_size: expected a number"
            ),
            (
                #""hidden_size": 3584"#, #""hidden_size": 9223372036854775808"#,
                "hidden_size: expected a whole number from 1 to 65536, got 9.223372036854776e+18"
            ),
            (
                #""num_key_value_heads": 4"#, #""num_key_value_heads": 5"#,
                "num_key_value_heads: expected a divisor of the 28"
            ),
            (
                #""rms_norm_eps": 1e-06"#, #""rms_norm_eps": -1"#,
                "rms_norm_eps: expected a number from"
            ),
            (
                #""rope_theta": 1000000.0"#, #""rope_theta": 1e300"#,
                "rope_theta: expected a number from"
            ),
            (
                #""rope_scaling": null"#, #""rope_scaling": {"type": "yarn"}"#,
                "rope_scaling.type: expected 'default', got 'yarn'"
            ),
            (
                #""use_sliding_window": false"#, #""use_sliding_window": true"#,
                "use_sliding_window: expected false"
            ),
            (
                #""hidden_act": "silu""#, #""hidden_act": "gelu""#,
                "hidden_act: expected 'silu', got 'gelu'"
            ),
            ("google/siglip-so400m-patch14-384", "openai/clip", "mm_vision_tower: expected"),
            ("mlp2x_gelu", "linear", "mm_projector_type: expected 'mlp2x_gelu', got 'linear'"),
            ("anyres_max_9", "pad", "image_aspect_ratio: expected 'anyres_max_9'"),
            (
                "(1x1),...,(6x6)", "(1x1),...,(600x6)",
                "image_grid_pinpoints: expected a text such as"
            ),
            (
                "\"(1x1),...,(6x6)\"", "[[384, 385]]",
                "image_grid_pinpoints[0]: expected two multiples of the tile's 384 pixels"
            ),
            ("\"(1x1),...,(6x6)\"", "[]", "image_grid_pinpoints: expected 1 to 1024 pairs, got 0"),
            ("\"(1x1),...,(6x6)\"", "[[384]]", "image_grid_pinpoints[0]: expected two"),
            ("\"eos_token_id\": 151645", "\"eos_token_id\": [-1]", "eos_token_id: expected"),
        ]
    )
    func refusals(original: String, replacement: String, sentence: String) throws {
        let text = Self.published.replacingOccurrences(of: original, with: replacement)
        #expect(text != Self.published)
        #expect {
            try read(text)
        } throws: { error in
            "\(error)".hasPrefix("config.json: ") && "\(error)".contains(sentence)
        }
    }

    @Test("a tower's heads are no wider than attention has room for")
    func wideHeads() throws {
        func config(_ heads: Int) throws -> ModelConfig {
            try read(
                #"{"architectures": ["LlavaOnevisionForConditionalGeneration"], "text_config": {}, "#
                    + #""vision_config": {"image_size": 384, "patch_size": 14, "hidden_size": 2064, "#
                    + #""num_attention_heads": \#(heads)}}"#
            )
        }
        #expect(throws: Never.self) { try config(4) }
        #expect {
            try config(1)
        } throws: { error in
            "\(error)".contains("heads of at most 1024 numbers of hidden_size 2064, got 1")
        }
    }

    @Test("a nested key is named with its whole path")
    func nestedPath() throws {
        #expect {
            try read(
                #"{"model_type": "llava_onevision", "text_config": {"rope_parameters": "#
                    + #"{"rope_theta": "x"}}}"#
            )
        } throws: { error in
            "\(error)".contains("text_config.rope_parameters.rope_theta: expected a number")
        }
        #expect {
            try read(#"{"model_type": "llava_onevision", "text_config": {"head_dim": 7}}"#)
        } throws: { error in
            "\(error)".contains("text_config.head_dim: expected an even number")
        }
    }

    @Test("refuses files that are missing, not JSON, or too deep")
    func malformed() throws {
        let nested = String(repeating: "[", count: 100_000)
        for text in ["{", "", "[]", "7", nested, "{\"a\":" + nested, "\u{0}"] {
            #expect(throws: CheckpointError.self, "\(text.prefix(8))") { try read(text) }
        }
        let empty = try CheckpointDirectory()
        #expect {
            try ModelConfig(directory: empty.path)
        } throws: { error in
            "\(error)".contains("/config.json: No such file")
        }
    }

    @Test("seeded mutations are read to bounded numbers or refused with a sentence")
    func mutations() throws {
        let seed: UInt64 = 0xC0_4F16
        var mutator = CheckpointMutator(seed: seed)
        let sources =
            try ["hf-bf16", "hf-fp32", "orig-bf16-sharded"].map { name in
                try CheckpointGoldens.text(name + "/config.json")
            } + [Self.published]
        var refused = 0
        for round in 0..<2400 {
            let source = sources[round % sources.count]
            let text =
                round % 8 < 4
                ? mutator.mutateValue(source)
                : String(decoding: mutator.mutate(Array(source.utf8)), as: UTF8.self)
            do {
                let config = try read(text)
                let llava = try #require(config.llava)
                // Products that the engine forms: they must not overflow.
                #expect(config.text.headCount * config.text.headDimension <= 1 << 20)
                #expect(llava.vision.gridSide <= 256 && llava.maximumTiles <= 1024)
                #expect(llava.imageGridPinpoints.allSatisfy { $0.height * $0.width < 1 << 36 })
            } catch let error as CheckpointError {
                refused += 1
                #expect(error.description.contains("config.json: "), "\(seed), \(round): \(error)")
            }
        }
        #expect(refused > 300)
    }

    private static let published = """
        {"architectures": ["LlavaQwenForCausalLM"], "model_type": "llava", "hidden_act": "silu",
        "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
        "num_attention_heads": 28, "num_key_value_heads": 4, "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0, "rope_scaling": null, "vocab_size": 152064,
        "max_position_embeddings": 32768, "use_sliding_window": false,
        "tie_word_embeddings": false, "eos_token_id": 151645, "image_token_index": 151646,
        "image_aspect_ratio": "anyres_max_9", "image_grid_pinpoints": "(1x1),...,(6x6)",
        "mm_patch_merge_type": "spatial_unpad", "mm_projector_type": "mlp2x_gelu",
        "mm_vision_tower": "google/siglip-so400m-patch14-384", "mm_vision_select_layer": -2,
        "tokenizer_model_max_length": 16384}
        """

    @Test("the repetition penalty of generation_config.json is read, and one that is none refused")
    func repetitionPenalty() throws {
        #expect(try read(Self.published).repetitionPenalty == 1)
        for (text, penalty) in [(#"{"repetition_penalty": 1.05, "top_k": 20}"#, 1.05), ("{}", 1)] {
            try directory.write(text, to: "generation_config.json")
            #expect(try read(Self.published).repetitionPenalty == penalty)
        }
        try directory.write(#"{"repetition_penalty": 0}"#, to: "generation_config.json")
        let error = #expect(throws: CheckpointError.self) { try read(Self.published) }
        #expect(
            "\(error as Any)".contains(
                "generation_config.json: repetition_penalty: expected a number from 0.01 to 100"
            )
        )
    }

    private func read(_ text: String) throws -> ModelConfig {
        try directory.write(text, to: "config.json")
        return try ModelConfig(directory: directory.path)
    }
}
