/// In which precision a model's large matrices are held and multiplied; the raw value is its name in options,
/// configuration and reports.
///
/// Sums are in f32 everywhere. Embedding tables, norms, biases and attention are not concerned.
package enum WeightPrecision: String, Sendable, CaseIterable {
    /// Each matrix as the checkpoint stores it, arithmetic in f32.
    case stored
    /// Weights widened to f32: the same bits as `stored`, twice the memory of bf16.
    case float32 = "f32"
    /// Weights rounded to bf16, arithmetic in f32.
    case bfloat16 = "bf16"
    /// Weights in 8 bits, rows in 8 bits as they come, integer arithmetic within blocks.
    case int8
    /// The decoder's weights in 4 bits, the others in 8; rows in 8 bits.
    case int4
}
