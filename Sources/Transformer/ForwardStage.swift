/// A point of the forward pass at which an observer may look at the numbers.
///
/// Only parity checks observe; an engine leaves the observer of its activations nil.
package enum ForwardStage: Sendable, Hashable {
    /// Patch embedding plus position embedding, [patches, visionHidden].
    case patchEmbedding
    /// Output of SigLIP encoder layer `index`, [patches, visionHidden].
    case visionLayer(Int)
    /// Output of the two-layer projector, [patches, hidden].
    case projector
    /// Rows entering the decoder, [rows, hidden].
    case inputEmbedding
    /// Output of decoder layer `index`, [rows, hidden].
    case decoderLayer(Int)
}

/// Receives `rows × columns` floats, row-major, valid during the call only.
package typealias ForwardObserver = (
    _ stage: ForwardStage, _ values: UnsafeBufferPointer<Float>, _ columns: Int
) -> Void
