package import VisionPreprocessing

/// The templates of one line of models: one for each task and kind of question. Data, not code.
package struct PromptPack: Sendable, Equatable {
    /// The pack's name, such as `builtin`.
    package let name: String
    /// The templates in the order of the file.
    package let templates: [PromptTemplate]

    /// Which frames of a video the models of this line are shown, unless a job says otherwise.
    package let sampler: FrameSampler

    /// The pack that is built into the program, in this project's own words, with the answer
    /// formats that UnifiedReward models were trained on (arXiv 2503.05236).
    package static func builtin() throws(RewardModelingError) -> PromptPack {
        try PromptPack(json: builtinSource)
    }

    /// The bytes of `builtin.json`, embedded in the program.
    static var builtinSource: [UInt8] { PackageResources.builtin_json }

    /// Reads and checks a pack as a whole. Throws `.invalidPromptPack` with a sentence that names
    /// the path of the first fault.
    package init(json: some Collection<UInt8>) throws(RewardModelingError) {
        guard let value = PayloadValue(json: json) else {
            throw .invalidPromptPack(
                "prompt pack: expected a JSON object, got \(json.count) bytes of other text"
            )
        }
        let reader = try PayloadReader(
            value,
            path: "",
            subject: "prompt pack",
            error: { .invalidPromptPack($0) }
        )
        try reader.refuseFields(except: ["name", "video", "templates"])
        name = try reader.string("name")
        sampler = try Self.sampler(reader.value("video"))
        let expected = "an array of at least one template"
        let values = try reader.array("templates", expected)
        guard !values.isEmpty else { throw reader.mismatch("templates", expected) }

        var templates: [PromptTemplate] = []
        for (index, value) in values.enumerated() {
            let path = "templates[\(index)]"
            let template = try PromptTemplateReader(value, path: path).template()
            if templates.contains(where: { $0.id == template.id }) {
                throw .invalidPromptPack(
                    "\(path).id: expected an id of its own, got \(quoted(template.id)) again"
                )
            }
            if let other = templates.first(where: {
                $0.task == template.task && $0.kind == template.kind
            }) {
                throw .invalidPromptPack(
                    "\(path): expected one template for \(template.task.rawValue) and "
                        + "\(template.kind.rawValue), got a second beside \(quoted(other.id))"
                )
            }
            templates.append(template)
        }
        self.templates = templates
    }

    /// `"video": {"sampling": …, "frames": …}`; either or both may be absent.
    private static func sampler(
        _ value: PayloadValue?
    ) throws(RewardModelingError) -> FrameSampler {
        guard let value else { return FrameSampler() }
        let reader = try PayloadReader(
            value,
            path: "video",
            subject: "video",
            error: { .invalidPromptPack($0) }
        )
        try reader.refuseFields(except: ["sampling", "frames"])
        return FrameSampler(
            rule: try reader.word("sampling", as: FrameSampler.Rule.self) ?? .linspace,
            count: try reader.frameCount("frames")
        )
    }

    /// The template for a task and a kind of question. Throws `.missingTemplate` when the pack has
    /// none.
    package func template(
        _ task: JudgingTask,
        _ kind: QuestionKind
    ) throws(RewardModelingError) -> PromptTemplate {
        if let template = templates.first(where: { $0.task == task && $0.kind == kind }) {
            return template
        }
        throw .missingTemplate(
            "prompt pack \(quoted(name)): expected a template for \(task.rawValue) and "
                + "\(kind.rawValue), got none. Use a pack that has one."
        )
    }
}
