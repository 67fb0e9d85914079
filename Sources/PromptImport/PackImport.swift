import FoundationEssentials
package import RewardModeling

/// Makes the prompt pack of a model line from a checkout of UnifiedReward's scripts.
package struct PackImport: Sendable {
    /// How one template of the line fared.
    package enum Outcome: Sendable, Equatable {
        /// Its text is the one that is known.
        case verified(file: String, line: Int)
        /// A script it should stand in is there, and no text in the checkout has its digest.
        case differs(files: [String])
        /// None of its scripts are there.
        case missing(files: [String])
    }

    /// Python files larger than this are not read: no script of prompts is.
    private static let largestFile = 4 << 20
    private static let mostFiles = 20_000

    /// By the template's name, in the line's order.
    package let outcomes: [(id: String, outcome: Outcome)]
    /// The pack as a file holds it; nil when nothing was verified.
    package let pack: String?

    /// Reads every `.py` file below a directory. Throws `.invalidPromptPack` for a directory that
    /// cannot be read, and when a verified text does not make a template, which is a fault of this
    /// program.
    package init(
        directory: String,
        line: ModelLine,
        digests: TemplateDigests
    ) throws(RewardModelingError) {
        var finder = TemplateFinder(digests)
        let names = try Self.scripts(directory)
        for name in names {
            guard let bytes = FileManager.default.contents(atPath: "\(directory)/\(name)"),
                bytes.count <= Self.largestFile
            else { continue }
            finder.look(through: Array(bytes), named: name)
        }
        let present = Set(names)
        var outcomes: [(id: String, outcome: Outcome)] = []
        var templates: [PayloadValue] = []
        for id in line.templates {
            guard let entry = digests.entries.first(where: { $0.id == id }) else { continue }
            if let find = finder.found[id] {
                outcomes.append((id, .verified(file: find.file, line: find.line)))
                templates.append(try Self.template(id, text: find.text, line: line))
            } else {
                let there = entry.files.filter(present.contains)
                outcomes.append(
                    (id, there.isEmpty ? .missing(files: entry.files) : .differs(files: there))
                )
            }
        }
        self.outcomes = outcomes
        guard !templates.isEmpty else {
            pack = nil
            return
        }
        let document = PayloadValue.object([
            "name": .string("unifiedreward-\(line.rawValue)"), "decoding": line.decoding.json,
            "templates": .array(templates),
        ])
        // The reader every pack goes through, so that what is written can be used.
        _ = try PromptPack(json: document.json.utf8)
        pack = document.json + "\n"
    }

    /// Whether a template differs from what is known.
    package var hasDifferences: Bool {
        outcomes.contains { if case .differs = $0.outcome { true } else { false } }
    }

    private static func scripts(_ directory: String) throws(RewardModelingError) -> [String] {
        let names: [String]
        do {
            names = try FileManager.default.subpathsOfDirectory(atPath: directory)
        } catch {
            throw .invalidPromptPack(
                "\(directory): expected a directory that can be read: \(error)"
            )
        }
        let scripts = names.filter { $0.hasSuffix(".py") }.sorted()
        guard scripts.count <= mostFiles else {
            throw .invalidPromptPack(
                "\(directory): expected a checkout of at most \(mostFiles) Python files, got "
                    + "\(scripts.count). Name the directory of the scripts."
            )
        }
        return scripts
    }

    private static func template(
        _ id: String,
        text: String,
        line: ModelLine
    ) throws(RewardModelingError) -> PayloadValue {
        guard let shape = UpstreamTemplate.all.first(where: { $0.id == id }) else {
            throw .invalidPromptPack("\(id): expected a template that can be read, got none")
        }
        let isPair = shape.kind == .pairRank
        var fields: [String: PayloadValue] = [
            "id": .string(id), "task": .string(shape.task.rawValue),
            "kind": .string(shape.kind.rawValue), "media": .array(shape.media.map { .string($0) }),
            "text": .string(renamed(text)), "answer_grammar": .string(shape.grammar),
            "answer_prefix": .string(shape.prefix),
            "choices": .array(
                shape.choices.map {
                    .object(["text": .string($0.text), isPair ? "verdict" : "value": $0.value])
                }
            ),
        ]
        if shape.task.medium == .video {
            if line.clips != .videos { fields["clips"] = .string(line.clips.rawValue) }
            if let video = line.video(of: id) { fields["video"] = .object(video) }
        }
        fields["max_new_tokens"] = .number(Double(line.longestAnswer(to: id)))
        let steps = line.preparation(of: id)
        if !steps.isEmpty { fields["prepare"] = .array(steps) }
        if !shape.scale.isEmpty { fields["scale"] = .array(shape.scale.map { .number($0) }) }
        if !shape.criteria.isEmpty {
            fields["criteria"] = .array(
                shape.criteria.map {
                    .object(["name": .string($0.name), "label": .string($0.label)])
                }
            )
        }
        return .object(fields)
    }

    /// The text with this project's names of placeholders.
    private static func renamed(_ text: String) -> String {
        [
            ("prompt", "caption"), ("Query", "question"), ("R1", "first"), ("R2", "second"),
            ("Response", "response"),
        ].reduce(text) { $0.replacing("{\($1.0)}", with: "{\($1.1)}") }
    }
}
