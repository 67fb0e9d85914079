/// Which architecture a checkpoint has, and for LLaVA-OneVision in which of its two layouts.
package enum ModelFamily: String, Sendable, CaseIterable {
    /// LLaVA-OneVision with Qwen2, converted to Hugging Face naming (`llava_onevision`).
    case llavaOneVision
    /// LLaVA-OneVision with Qwen2 as trained (`llava_qwen`, or `llava` with architecture
    /// `LlavaQwenForCausalLM`).
    case llavaQwen
    /// Qwen2.5-VL (`qwen2_5_vl`).
    case qwen25VL
    /// Qwen3-VL without experts (`qwen3_vl`).
    case qwen3VL

    /// The name in `architectures`.
    var architecture: String {
        switch self {
        case .llavaOneVision: "LlavaOnevisionForConditionalGeneration"
        case .llavaQwen: "LlavaQwenForCausalLM"
        case .qwen25VL: "Qwen2_5_VLForConditionalGeneration"
        case .qwen3VL: "Qwen3VLForConditionalGeneration"
        }
    }

    /// The name in `model_type`.
    var modelType: String {
        switch self {
        case .llavaOneVision: "llava_onevision"
        case .llavaQwen: "llava_qwen"
        case .qwen25VL: "qwen2_5_vl"
        case .qwen3VL: "qwen3_vl"
        }
    }
}
