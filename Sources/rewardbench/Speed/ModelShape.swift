import Transformer

/// A published model whose dimensions the speed benchmarks run with, on random weights.
enum ModelShape: String, CaseIterable {
    case qwen2 = "qwen2-0.5b"
    case llavaSmall = "llava-ov-0.5b"
    case llavaLarge = "llava-ov-7b"
    case qwen25VL = "qwen2.5-vl-3b"
    case qwen3VL = "qwen3-vl-2b"

    /// Whose decoder it is.
    var family: ModelFamily {
        switch self {
        case .qwen2, .llavaSmall, .llavaLarge: .llavaOneVision
        case .qwen25VL: .qwen25VL
        case .qwen3VL: .qwen3VL
        }
    }

    /// The `text_config` of its config.json, as far as it gives dimensions.
    var textConfiguration: String {
        switch self {
        case .qwen2, .llavaSmall:
            """
            {"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, \
            "num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": 151936, \
            "rope_theta": 1000000, "tie_word_embeddings": true}
            """
        case .llavaLarge:
            """
            {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, \
            "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064, \
            "rope_theta": 1000000, "tie_word_embeddings": false}
            """
        case .qwen25VL:
            """
            {"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36, \
            "num_attention_heads": 16, "num_key_value_heads": 2, "vocab_size": 151936, \
            "rope_theta": 1000000, "tie_word_embeddings": true, \
            "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}}
            """
        case .qwen3VL:
            """
            {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28, \
            "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128, \
            "vocab_size": 151936, "rope_theta": 5000000, "tie_word_embeddings": true, \
            "rope_scaling": {"rope_type": "default", "mrope_interleaved": true, \
            "mrope_section": [24, 20, 20]}}
            """
        }
    }
}
