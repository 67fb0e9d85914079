package import TensorKernels

/// The Qwen2 or Qwen3 decoder: rows in, rows out, keys and values kept in the sequence.
///
/// A pure function of (weights, rows, sequence). `modeling_qwen2.py: Qwen2Model`,
/// `modeling_qwen3_vl.py: Qwen3VLTextModel`.
package struct TextDecoder: Sendable {
    /// Dimensions.
    package let config: TextConfig
    /// Rows of the embedding table and of the head: token ids are below it.
    package var vocabularySize: Int { weights.embedTokens.rows }

    let weights: TextWeights
    let rotary: RotaryEmbedding

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
        rotary = RotaryEmbedding(config: config, positions: positions)
    }

    /// Runs rows of several sequences through every layer, all in the same matrix products.
    ///
    /// Leaves the output of the last layer, before the final norm, in the activations, the rows of the
    /// first part first. A row's numbers depend on the rows before it in its own sequence alone, to the
    /// last bit. `interrupt` is called before each layer; when it throws, the sequences are as they were.
    ///
    /// - Precondition: there is a row, all rows together fit in the activations, and no sequence has two
    ///   parts.
    package func forward(
        _ parts: [SequenceRows],
        activations: TextActivations,
        pool: ComputeThreadPool,
        interrupt: () throws -> Void
    ) rethrows {
        guard let blocks = parts.first?.sequence.blocks else { return }
        precondition(parts.allSatisfy { $0.sequence.blocks === blocks }, "sequences of one memory")
        activations.layout.set(parts)
        let rows = activations.layout.count
        precondition(rows <= activations.rowCapacity, "rows fit in the activations")

        var row = 0
        for part in parts {
            embed(part.input, part.range, into: activations.hidden.base + row * config.hiddenSize)
            row += part.range.count
        }  // [rows, hidden]
        activations.observe(.inputEmbedding, rows: rows, columns: config.hiddenSize)
        let angles = rotary.angles(of: parts, activations: activations)  // [rows, d/2]
        for (index, layer) in weights.layers.enumerated() {
            try interrupt()
            decoderLayer(
                layer,
                index: index,
                config: config,
                angles: angles,
                blocks: blocks,
                activations: activations,
                pool: pool
            )
            activations.observe(.decoderLayer(index), rows: rows, columns: config.hiddenSize)
            addDeepstack(parts, level: index, to: activations.hidden.base)
        }
        for part in parts { part.sequence.hold(part.range.upperBound) }
    }

    /// Runs rows `range` of one sequence.
    package func forward(
        _ input: ModelInput,
        _ range: Range<Int>,
        sequence: SequenceState,
        activations: TextActivations,
        pool: ComputeThreadPool,
        interrupt: () throws -> Void
    ) rethrows {
        try forward(
            [SequenceRows(input: input, range: range, sequence: sequence)],
            activations: activations,
            pool: pool,
            interrupt: interrupt
        )
    }

    /// Logits of some rows of the last pass, [rows.count, vocabulary], valid until the next call.
    ///
    /// The head is the largest matrix of a small model, so it runs on the rows whose logits are wanted and
    /// on no other, and on all of those at once.
    ///
    /// - Precondition: at most `activations.logitRowCapacity` rows.
    package func logits(
        ofRows rows: some Collection<Int>,
        activations: TextActivations,
        pool: ComputeThreadPool
    ) -> UnsafeBufferPointer<Float> {
        precondition(rows.count <= activations.logitRowCapacity, "rows fit in the buffer of logits")
        precondition(activations.vocabularySize == vocabularySize, "activations of this model")
        for (place, row) in rows.enumerated() {
            finalNorm(ofRow: row, into: place, activations: activations, pool: pool)
        }
        matrixProduct(
            activations.finalRows.base,
            rows: rows.count,
            by: weights.lmHead,
            bias: nil,
            into: activations.logits.base,
            pool: pool
        )  // [rows.count, vocabulary]
        return UnsafeBufferPointer(
            start: activations.logits.base,
            count: rows.count * vocabularySize
        )
    }

    /// Logits of one row of the last pass, [vocabulary], valid until the next call.
    package func logits(
        ofRow row: Int,
        activations: TextActivations,
        pool: ComputeThreadPool
    ) -> UnsafeBufferPointer<Float> {
        logits(ofRows: CollectionOfOne(row), activations: activations, pool: pool)
    }

    /// The row after the final RMSNorm, [hidden], valid until the next call.
    @discardableResult
    package func finalNorm(
        ofRow row: Int,
        into place: Int = 0,
        activations: TextActivations,
        pool: ComputeThreadPool
    ) -> UnsafeBufferPointer<Float> {
        precondition(row >= 0 && row < activations.rowCapacity, "a row of the last pass")
        let target = activations.finalRows.base + place * config.hiddenSize
        rmsNorm(
            activations.hidden.base + row * config.hiddenSize,
            rows: 1,
            columns: config.hiddenSize,
            weight: weights.norm.pointer,
            epsilon: config.rmsNormEpsilon,
            into: target,
            pool: pool
        )
        return UnsafeBufferPointer(start: target, count: config.hiddenSize)
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
            case .awaited(let key, _, _):
                preconditionFailure("the image \(key) is encoded before its rows are computed")
            }
        }
    }

    /// Adds what the vision tower has to say at decoder layer `level` to the rows of images
    /// (DeepStack, `modeling_qwen3_vl.py: _deepstack_process`).
    private func addDeepstack(
        _ parts: [SequenceRows],
        level: Int,
        to rows: UnsafeMutablePointer<Float>
    ) {
        let width = config.hiddenSize
        var first = 0
        for part in parts {
            let start = rows + first * width
            part.input.forEachPart(of: part.range) { piece, part, row in
                guard case .image(let features, _) = piece, level < features.deepstack.count else {
                    return
                }
                let target = start + row * width
                let source = part.lowerBound * width
                features.deepstack[level].withUnsafeBufferPointer { values in
                    for index in 0..<part.count * width { target[index] += values[source + index] }
                }
            }
            first += part.range.count
        }
    }
}
