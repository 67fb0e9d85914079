package import TensorKernels

/// The Qwen2 decoder: rows in, rows out, keys and values kept in the sequence.
///
/// A pure function of (weights, rows, sequence). `modeling_qwen2.py: Qwen2Model`.
package struct TextDecoder: Sendable {
    /// Dimensions.
    package let config: TextConfig
    /// Rows of the embedding table and of the head: token ids are below it.
    package var vocabularySize: Int { weights.embedTokens.rows }

    let weights: TextWeights
    let rotary: RotaryTable

    /// Reads the weights; positions `0..<positions` can be computed.
    ///
    /// - Throws: ``CheckpointError`` for a tensor that is missing or has another shape.
    init(
        reader: WeightReader,
        config: TextConfig,
        positions: Int,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        self.config = config
        weights = try TextWeights(reader: reader, config: config, pool: pool)
        rotary = RotaryTable(
            headDimension: config.headDimension,
            theta: config.ropeTheta,
            positions: positions
        )
    }

    /// Runs rows `range` of `input` through every layer, as positions `sequence.count…`.
    ///
    /// Leaves the output of the last layer, before the final norm, in the activations, row 0 first.
    /// `interrupt` is called before each layer; when it throws, the sequence is as it was.
    ///
    /// - Precondition: `range` fits in the activations and in the sequence, and starts where the
    ///   sequence ends.
    package func forward(
        _ input: ModelInput,
        _ range: Range<Int>,
        sequence: SequenceState,
        activations: TextActivations,
        pool: ComputeThreadPool,
        interrupt: () throws -> Void
    ) rethrows {
        let rows = range.count
        let firstPosition = sequence.count
        precondition(range.lowerBound == firstPosition, "rows follow the sequence")
        precondition(rows > 0 && rows <= activations.rowCapacity, "rows fit in the activations")
        precondition(firstPosition + rows <= sequence.capacity, "rows fit in the sequence")

        embed(input, range, into: activations.hidden.base)  // [rows, hidden]
        activations.observe(.inputEmbedding, rows: rows, columns: config.hiddenSize)
        do {
            for (index, layer) in weights.layers.enumerated() {
                try interrupt()
                decoderLayer(
                    layer,
                    config: config,
                    rows: rows,
                    firstPosition: firstPosition,
                    rotary: rotary,
                    cache: sequence.layers[index],
                    activations: activations,
                    pool: pool
                )
                activations.observe(.decoderLayer(index), rows: rows, columns: config.hiddenSize)
            }
        } catch {
            sequence.truncate(to: firstPosition)
            throw error
        }
    }

    /// Logits of row `row` of the last call of ``forward(_:_:sequence:activations:pool:interrupt:)``.
    ///
    /// [vocabulary], valid until the next call. The head is the largest matrix of a small model, so it
    /// runs on the rows whose logits are wanted and on no other.
    package func logits(
        ofRow row: Int,
        activations: TextActivations,
        pool: ComputeThreadPool
    ) -> UnsafeBufferPointer<Float> {
        precondition(row >= 0 && row < activations.rowCapacity, "a row of the last call")
        precondition(activations.logits.count == vocabularySize, "activations of this model")
        finalNorm(ofRow: row, activations: activations, pool: pool)
        matrixProduct(
            activations.finalRow.base,
            rows: 1,
            by: weights.lmHead,
            bias: nil,
            into: activations.logits.base,
            pool: pool
        )  // [1, vocabulary]
        return UnsafeBufferPointer(
            start: activations.logits.base,
            count: vocabularySize
        )
    }

    /// The row after the final RMSNorm, [hidden], valid until the next call.
    @discardableResult
    package func finalNorm(
        ofRow row: Int,
        activations: TextActivations,
        pool: ComputeThreadPool
    ) -> UnsafeBufferPointer<Float> {
        rmsNorm(
            activations.hidden.base + row * config.hiddenSize,
            rows: 1,
            columns: config.hiddenSize,
            weight: weights.norm.pointer,
            epsilon: config.rmsNormEpsilon,
            into: activations.finalRow.base,
            pool: pool
        )
        return UnsafeBufferPointer(start: activations.finalRow.base, count: config.hiddenSize)
    }

    /// Rows `range` of the input: rows of `embed_tokens`, or features of images in their place.
    private func embed(
        _ input: ModelInput,
        _ range: Range<Int>,
        into rows: UnsafeMutablePointer<Float>
    ) {
        let width = config.hiddenSize
        input.forEachPart(of: range) { piece, part, row in
            let target = rows + row * width
            switch piece {
            case .tokens(let ids):
                for (offset, index) in part.enumerated() {
                    weights.embedTokens.row(Int(ids[index]), into: target + offset * width)
                }
            case .image(let features, _):
                precondition(features.hidden == width, "features in the width of this model")
                features.values.withUnsafeBufferPointer { values in
                    guard let base = values.baseAddress else { return }
                    target.update(
                        from: base + part.lowerBound * width,
                        count: part.count * width
                    )
                }
            }
        }
    }
}
