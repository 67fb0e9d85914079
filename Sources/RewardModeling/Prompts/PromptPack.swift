package import VisionPreprocessing

/// The templates of one line of models, for each task and kind of question one or more; the first is
/// the usual one. Data, not code.
package struct PromptPack: Sendable, Equatable {
    /// The pack's name, such as `builtin`.
    package let name: String
    /// The templates in the order of the file.
    package let templates: [PromptTemplate]

    /// Which frames of a video the models of this line are shown, unless a job says otherwise.
    package let sampler: FrameSampler

    /// How free answers are decoded.
    package let decoding: PackDecoding

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
        try reader.refuseFields(except: ["name", "video", "decoding", "templates"])
        name = try reader.string("name")
        sampler = try Self.sampler(reader.value("video"))
        decoding = try PackDecoding(reader.value("decoding"))
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

    /// The template for a task and a kind of question: one of those named, else the first of the
    /// pack. Throws `.missingTemplate` when the pack has none, or has none of a name.
    package func template(
        _ task: JudgingTask,
        _ kind: QuestionKind,
        preferring ids: [String] = []
    ) throws(RewardModelingError) -> PromptTemplate {
        for id in ids where !templates.contains(where: { $0.id == id && $0.task == task }) {
            throw .missingTemplate(
                "options.templates: expected templates of the prompt pack \(quoted(name)) for "
                    + "\(task.rawValue), got \(quoted(id)). Leave the option out to use the first."
            )
        }
        let fitting = templates.filter { $0.task == task && $0.kind == kind }
        if let template = fitting.first(where: { ids.contains($0.id) }) ?? fitting.first {
            return template
        }
        throw .missingTemplate(
            "prompt pack \(quoted(name)): expected a template for \(task.rawValue) and "
                + "\(kind.rawValue), got none. Use a model "
                + "that was trained for this, or a pack that has a template for it."
        )
    }
}
