import TensorKernels

/// Where rows stand, as angles for the heads of queries and keys.
///
/// LLaVA-OneVision counts rows. The Qwen-VL families give every row three positions, in time and down
/// and across the picture, and each frequency follows one of them (`modeling_qwen2_5_vl.py:
/// apply_multimodal_rotary_pos_emb`, `modeling_qwen3_vl.py: apply_interleaved_mrope`).
struct RotaryEmbedding: Sendable {
    /// How positions become angles.
    private enum Kind {
        /// Row n stands at position n: a table made once.
        case sequential(RotaryTable)
        /// The frequencies, and for each the axis it follows: 0 time, 1 down, 2 across. Not a table:
        /// the time axis of a slow clip runs past the number of rows.
        case axes(RotaryFrequencies, [Int])
    }

    private let kind: Kind

    /// The embedding of a model; sequential positions `0..<positions` can be computed.
    init(config: TextConfig, positions: Int) {
        switch config.rotaryLayout {
        case .sequential:
            kind = .sequential(
                RotaryTable(
                    headDimension: config.headDimension,
                    theta: config.ropeTheta,
                    positions: positions
                )
            )
        case .contiguous(let sections):
            kind = .axes(
                RotaryFrequencies(headDimension: config.headDimension, theta: config.ropeTheta),
                sections.enumerated().flatMap { Array(repeating: $0, count: $1) }
            )
        case .interleaved(let sections):
            kind = .axes(
                RotaryFrequencies(headDimension: config.headDimension, theta: config.ropeTheta),
                (0..<config.headDimension / 2).map { index in
                    let axis = index % 3
                    return index < 3 * sections[axis] ? axis : 0
                }
            )
        }
    }

    /// Writes the angles of the rows of a pass into the activations.
    func angles(of parts: [SequenceRows], activations: TextActivations) -> RotaryAngles {
        let (cosines, sines) = (activations.cosines.base, activations.sines.base)
        var target = 0
        for part in parts {
            switch kind {
            case .sequential(let table):
                table.copy(
                    first: part.range.lowerBound,
                    rows: part.range.count,
                    cosines: cosines + target,
                    sines: sines + target
                )
                target += part.range.count * table.headDimension / 2
            case .axes(let frequencies, let axes):
                part.input.forEachPosition(of: part.range) { position in
                    for (index, axis) in axes.enumerated() {
                        let angle = frequencies.angle(index, position: position[axis])
                        cosines[target] = angle.cosine
                        sines[target] = angle.sine
                        target += 1
                    }
                }
            }
        }
        return RotaryAngles(cosines: cosines, sines: sines)
    }
}
