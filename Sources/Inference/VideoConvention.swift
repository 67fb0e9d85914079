/// Whose prompts and places of clips a Qwen-VL model is given.
///
/// The two versions of the reference differ in clips alone; pictures are the same in both.
package enum VideoConvention: String, Sendable, CaseIterable {
    /// transformers 4.49 to 4.57, which the models were trained with: Qwen2.5-VL counts whole seconds and
    /// goes on after the last position of a clip; in Qwen3-VL the times of a clip's frames stand in place
    /// of the marks around it. vLLM serves it so.
    case transformers4
    /// transformers 5: fractions of seconds count, what follows a clip of Qwen2.5-VL stands after its
    /// longer side, and a clip of Qwen3-VL keeps its outer marks.
    case transformers5
}
