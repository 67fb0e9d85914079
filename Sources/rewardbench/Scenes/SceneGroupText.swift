import SyntheticScenes

/// A group of scenes in words, for people.
struct SceneGroupText {
    private let group: SceneGroup

    init(_ group: SceneGroup) {
        self.group = group
    }

    /// One block for each variant: its fault, its captions with the grade of every variant for each,
    /// its questions with their answers by grade.
    var text: String {
        let head = "group \(group.index) of \(group.split.rawValue): \(group.composition.rawValue)"
        return ([head] + group.variants.indices.map(block)).joined(separator: "\n\n") + "\n"
    }

    private func block(_ variant: Int) -> String {
        var lines = ["variant \(variant): \(group.variants[variant].quality.reason ?? "no fault")"]
        for caption in group.captions[variant] {
            lines.append("  \(caption.text)")
            for shown in group.variants.indices {
                let grade = group.grade(caption, ofPicture: shown)
                lines.append("    \(grade.value) for variant \(shown): \(grade.reason)")
            }
        }
        for question in group.questions[variant] {
            lines.append("  \(question.text)")
            let answers = question.answers.enumerated().sorted {
                ($1.element.grade, $0.offset) < ($0.element.grade, $1.offset)
            }
            lines += answers.map { "    \($0.element.grade) \($0.element.text)" }
        }
        return lines.joined(separator: "\n")
    }
}
