/// A point of the forward pass at which an observer may look at the numbers.
///
/// Only parity checks observe; an engine leaves the observer of its activations nil.
package enum ForwardStage: Sendable, Hashable {
    /// Patch embedding, of SigLIP plus position embedding, [patches, visionHidden].
    case patchEmbedding
    /// Output of vision layer `index`, [patches, visionHidden].
    case visionLayer(Int)
    /// Output of the projector or merger, [patches, hidden]; of the Qwen towers in the order of their
    /// windows, and in parts.
    case projector
    /// Output of DeepStack merger `level`, [cells, hidden], in parts.
    case deepstack(Int)
    /// Rows entering the decoder, [rows, hidden].
    case inputEmbedding
    /// Output of decoder layer `index`, [rows, hidden].
    case decoderLayer(Int)
}

/// Receives `rows × columns` floats, row-major, valid during the call only.
package typealias ForwardObserver = (
    _ stage: ForwardStage, _ values: UnsafeBufferPointer<Float>, _ columns: Int
) -> Void
