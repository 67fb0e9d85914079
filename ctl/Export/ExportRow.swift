import ArgumentParsing
import JSONReading

/// Makes the row of a pair in each format: its exact keys, in the order trainers document them.
///
/// Scores are numbers but in `diffusion-dpo`, whose loader declares them as strings.
struct ExportRow {
    let format: ExportFormat

    /// What LLaMA-Factory takes for a place of media in a text; user text must not hold one.
    private static let slots = ["<image>", "<video>", "<audio>"]

    /// The row.
    ///
    /// - Parameter place: The text by which the row names a media file.
    /// - Throws: `CommandFailure` for a pair the format cannot hold.
    func row(
        _ source: ExportSource,
        place: (ExportedFile) throws -> String
    ) throws -> JSONNode {
        switch format {
        case .trl: try trl(source, place)
        case .llamafactory: try llamaFactory(source, place)
        case .llavaDPO: try llavaDPO(source, place)
        case .diffusionDPO: try diffusionDPO(source, place)
        case .videoDPO: try videoDPO(source, place)
        case .jsonl: try complete(source, place)
        }
    }

    /// How many times user texts of a pair hold what the format reads as a place of media.
    func slotsReplaced(_ source: ExportSource) -> Int {
        guard format == .llamafactory || format == .llavaDPO else { return 0 }
        return [source.prompt, source.chosen.text ?? "", source.rejected.text ?? ""].count { text in
            Self.slots.contains { text.contains($0) }
        }
    }

    // MARK: - Answers about pictures

    private func trl(
        _ source: ExportSource,
        _ place: (ExportedFile) throws -> String
    ) throws -> JSONNode {
        let files = try shown(source, place)
        let pictures = files.map { _ in JSONNode.object(["type": .string("image")]) }
        func message(_ role: String, _ before: [JSONNode], _ text: String) -> JSONNode {
            let words = JSONNode.object(["type": .string("text"), "text": .string(text)])
            return .array([
                .object(["role": .string(role), "content": .array(before + [words])])
            ])
        }
        return .object([
            "images": .array(files.map { .string($0) }),
            "prompt": message("user", pictures, source.prompt),
            "chosen": message("assistant", [], source.chosen.text ?? ""),
            "rejected": message("assistant", [], source.rejected.text ?? ""),
            "score_chosen": source.number("chosen_score"),
            "score_rejected": source.number("rejected_score"),
            "margin": source.number("margin"),
        ])
    }

    private func llamaFactory(
        _ source: ExportSource,
        _ place: (ExportedFile) throws -> String
    ) throws -> JSONNode {
        let files = try shown(source, place)
        let isVideo = isVideoFile(source)
        let marks = String(repeating: isVideo ? "<video>" : "<image>", count: files.count)
        func message(_ from: String, _ text: String) -> JSONNode {
            .object(["from": .string(from), "value": .string(text)])
        }
        return .object([
            .init(
                name: "conversations",
                value: .array([message("human", marks + "\n" + withoutSlots(source.prompt))])
            ),
            .init(name: "chosen", value: message("gpt", withoutSlots(source.chosen.text ?? ""))),
            .init(
                name: "rejected",
                value: message("gpt", withoutSlots(source.rejected.text ?? ""))
            ),
            .init(name: "images", value: .array(isVideo ? [] : files.map { .string($0) })),
            .init(name: "videos", value: .array(isVideo ? files.map { .string($0) } : [])),
        ])
    }

    private func llavaDPO(
        _ source: ExportSource,
        _ place: (ExportedFile) throws -> String
    ) throws -> JSONNode {
        let files = try shown(source, place)
        let image: JSONNode =
            ExportedMedia.isFrames(source.shown)
            ? .array(files.map { .string($0) }) : .optional(files.first)
        return .object([
            "id": .string(source.id ?? "pair_\(source.index)"),
            "image": image,
            "prompt": .string(withoutSlots(source.prompt)),
            "chosen": .string(withoutSlots(source.chosen.text ?? "")),
            "rejected": .string(withoutSlots(source.rejected.text ?? "")),
            "chosen_score": source.number("chosen_score"),
            "rejected_score": source.number("rejected_score"),
        ])
    }

    // MARK: - Pictures and clips

    private func diffusionDPO(
        _ source: ExportSource,
        _ place: (ExportedFile) throws -> String
    ) throws -> JSONNode {
        .object([
            "id": .string(source.id ?? "image_dpo_\(source.index)"),
            "caption": .string(source.prompt),
            "jpg_0": .string(try only(source, "chosen", stem: "image_\(source.index)", place)),
            "jpg_1": .string(try only(source, "rejected", stem: "image_\(source.index)", place)),
            "label_0": .int(1),
            "chosen_score": .string(source.number("chosen_score").cell),
            "rejected_score": .string(source.number("rejected_score").cell),
        ])
    }

    private func videoDPO(
        _ source: ExportSource,
        _ place: (ExportedFile) throws -> String
    ) throws -> JSONNode {
        .object([
            "id": .string(source.id ?? "video_dpo_\(source.index)"),
            "caption": .string(source.prompt),
            "chosen": .string(try only(source, "chosen", stem: "\(source.index)", place)),
            "rejected": .string(try only(source, "rejected", stem: "\(source.index)", place)),
            "chosen_score": source.number("chosen_score"),
            "rejected_score": source.number("rejected_score"),
        ])
    }

    /// The one file of a candidate.
    private func only(
        _ source: ExportSource,
        _ side: String,
        stem: String,
        _ place: (ExportedFile) throws -> String
    ) throws -> String {
        let node = source.row[side]
        let files = ExportedMedia.files(node, stem: "\(stem)_\(side)")
        guard !ExportedMedia.isFrames(node), let file = files.first else {
            throw CommandFailure(
                .conflict,
                """
                items[\(source.index)]: expected a \(side) candidate that is one file, as \
                \(format.rawValue) needs, got a clip of frames. Export with --format jsonl.
                """
            )
        }
        return try place(file)
    }

    // MARK: - Everything

    private func complete(
        _ source: ExportSource,
        _ place: (ExportedFile) throws -> String
    ) throws -> JSONNode {
        guard case .object(var members) = source.row else { return source.row }
        let candidatesAreMedia = source.input["question"] == nil
        for index in members.indices {
            let name = members[index].name
            if name == "input", case .object(var input) = members[index].value {
                for field in input.indices
                where ["image", "video", "source"].contains(input[field].name) {
                    input[field].value = try placed(
                        input[field].value,
                        stem: "\(source.index)_\(input[field].name)",
                        place
                    )
                }
                members[index].value = .object(input)
            } else if ["chosen", "rejected"].contains(name), candidatesAreMedia {
                members[index].value = try placed(
                    members[index].value,
                    stem: "\(source.index)_\(name)",
                    place
                )
            }
        }
        return .object(members)
    }

    /// A media reference with its files' places: a string, or `{"frames": [string]}`.
    private func placed(
        _ node: JSONNode,
        stem: String,
        _ place: (ExportedFile) throws -> String
    ) throws -> JSONNode {
        let names = try ExportedMedia.files(node, stem: stem).map { JSONNode.string(try place($0)) }
        if ExportedMedia.isFrames(node) { return .object(["frames": .array(names)]) }
        return names.first ?? node
    }

    // MARK: - Parts

    private func shown(
        _ source: ExportSource,
        _ place: (ExportedFile) throws -> String
    ) throws -> [String] {
        if format == .trl || format == .llavaDPO, isVideoFile(source) {
            throw CommandFailure(
                .conflict,
                """
                items[\(source.index)]: expected a clip of frames, as \(format.rawValue) needs, got \
                a video file. Export with --format llamafactory or jsonl.
                """
            )
        }
        return try ExportedMedia.files(source.shown, stem: "\(source.index)").map(place)
    }

    private func isVideoFile(_ source: ExportSource) -> Bool {
        source.input["video"] != nil && !ExportedMedia.isFrames(source.input["video"])
    }

    /// A text in which nothing opens a place of media: `<image>` becomes `< image>`.
    private func withoutSlots(_ text: String) -> String {
        Self.slots.reduce(text) { $0.replacing($1, with: "< " + $1.dropFirst()) }
    }
}
