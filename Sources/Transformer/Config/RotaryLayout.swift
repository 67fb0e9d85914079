/// How the frequencies of the rotary embedding read a row's position.
package enum RotaryLayout: Sendable, Equatable {
    /// All of them the row's number.
    case sequential
    /// The first of three counts of frequencies the time, the next the line, the rest the column:
    /// Qwen2.5-VL.
    case contiguous([Int])
    /// Time, line and column in turn, each as many as its count, time where one has run out: Qwen3-VL.
    case interleaved([Int])

    /// The layout of a class with the counts of a configuration. Throws a sentence that names the key.
    init(
        _ file: TextConfig.File,
        of reference: TextReference,
        headDimension: Int,
        field: ConfigField
    ) throws(CheckpointError) {
        let isScaling = file.rope_scaling?.mrope_section != nil
        let rope = isScaling ? file.rope_scaling : file.rope_parameters ?? file.rope_scaling
        let path = isScaling || file.rope_parameters == nil ? "rope_scaling" : "rope_parameters"
        let own: [Int]
        switch reference.rotary {
        case .sequential:
            self = .sequential
            return
        case .contiguous(let counts):
            try field.require("\(path).mrope_interleaved", rope?.mrope_interleaved, is: false)
            own = counts
        case .interleaved(let counts):
            try field.require("\(path).mrope_interleaved", rope?.mrope_interleaved, is: true)
            own = counts
        }
        let sections = rope?.mrope_section.map { $0.map { Int(exactly: $0) ?? -1 } } ?? own
        guard sections.count == 3, sections.allSatisfy({ (0...headDimension).contains($0) }),
            sections.reduce(0, +) == headDimension / 2
        else {
            throw field.invalid(
                "\(path).mrope_section",
                expected: "three counts whose sum is half of the head's \(headDimension)",
                got: sections.isEmpty ? "nothing" : "\(sections.prefix(4).map { max($0, -1) })"
            )
        }
        if case .contiguous = reference.rotary {
            self = .contiguous(sections)
        } else {
            self = .interleaved(sections)
        }
    }
}
