import Transformer

/// What a parity run records of a forward pass, stage by stage.
///
/// Filled by the observers of the activations, so the code that is checked is the code that serves.
// @unchecked Sendable is not needed: it lives and dies on the thread of the run.
final class ParityTaps {
    /// Norm of every patch row: patch embedding, then each vision layer.
    var visionNorms: [[Float]]
    /// Output rows of the last vision layer, all tiles.
    var visionOut: [Float] = []
    /// Output rows of the projector, all tiles.
    var projectorOut: [Float] = []
    /// Output rows of each DeepStack merger.
    var deepstack: [[Float]]
    /// Norm of every row: input embedding, each decoder layer, final norm.
    var textNorms: [[Float]]
    /// The last row at each of the same points.
    var textLast: [[Float]]

    private let visionLayers: Int

    init(config: ModelConfig) {
        switch config.visual {
        case .llava(let llava):
            visionLayers = llava.vision.layerCount
            deepstack = []
        case .qwen(let vision):
            visionLayers = vision.layerCount
            deepstack = Array(repeating: [], count: vision.deepstackCount)
        }
        visionNorms = Array(repeating: [], count: visionLayers + 1)
        textNorms = Array(repeating: [], count: config.text.layerCount + 2)
        textLast = Array(repeating: [], count: config.text.layerCount + 2)
    }

    func record(_ stage: ForwardStage, _ values: UnsafeBufferPointer<Float>, _ columns: Int) {
        switch stage {
        case .patchEmbedding:
            visionNorms[0] += rowNorms(values, columns)
        case .visionLayer(let index):
            visionNorms[index + 1] += rowNorms(values, columns)
            if index == visionLayers - 1 { visionOut += values }
        case .projector:
            projectorOut += values
        case .deepstack(let level):
            deepstack[level] += values
        case .inputEmbedding:
            recordText(0, values, columns)
        case .decoderLayer(let index):
            recordText(index + 1, values, columns)
        }
    }

    /// The final norm, which the decoder computes row by row on demand.
    func recordFinalNorm(_ row: UnsafeBufferPointer<Float>) {
        recordText(textNorms.count - 1, row, row.count)
    }

    private func recordText(_ tap: Int, _ values: UnsafeBufferPointer<Float>, _ columns: Int) {
        textNorms[tap] += rowNorms(values, columns)
        textLast[tap] = Array(values.suffix(columns))
    }

    private func rowNorms(_ values: UnsafeBufferPointer<Float>, _ columns: Int) -> [Float] {
        stride(from: 0, to: values.count, by: columns).map { start in
            var sum = 0.0
            for index in start..<(start + columns) {
                sum += Double(values[index]) * Double(values[index])
            }
            return Float(sum.squareRoot())
        }
    }
}
