import JSONReading

/// One part of a user message.
package enum ContentPart: Sendable, Equatable {
    /// An image, by its number in the request, counted from 0.
    case image(Int)
    /// A clip, by its number among the request's clips, counted from 0.
    case video(Int)
    case text(String)
}

/// How a checkpoint wraps a user message: roles, separators, where images and clips stand.
package struct ChatTemplate: Sendable {
    /// `llava-hf` or `qwen-vl` (a template from the checkpoint), or `qwen_1_5` (the conversation of the
    /// original LLaVA code).
    package let name: String
    /// Nil for the original conversation, which is code there and not a file of the checkpoint.
    private let template: JinjaChatTemplate?

    /// The template of a checkpoint.
    /// - modelType: `model_type` of its config.json. `llava_qwen` and `llava` are original
    ///   LLaVA-OneVision: whatever template their tokenizer files carry is the text model's own and
    ///   is not used (`llava/conversation.py`, `conv_templates["qwen_1_5"]`). Every other type must
    ///   have its template in chat_template.jinja, chat_template.json or tokenizer_config.json.
    /// Throws when there is none, or one that is not understood.
    package static func read(
        directory: String,
        modelType: String
    ) throws(TokenizationError) -> ChatTemplate {
        if modelType == "llava_qwen" || modelType == "llava" {
            return ChatTemplate(name: "qwen_1_5", template: nil)
        }
        let (file, source) = try source(directory: directory)
        do {
            let name = modelType.hasPrefix("qwen") ? "qwen-vl" : "llava-hf"
            return ChatTemplate(name: name, template: try JinjaChatTemplate(source))
        } catch {
            throw .unsupportedChatTemplate(file: file, reason: error.reason)
        }
    }

    /// Whether it has a place for clips. Rendering leaves them out when it has none.
    package var carriesVideos: Bool { template?.carriesVideos ?? true }

    /// The prompt of one user message followed by the opening of the assistant's turn; adjacent
    /// texts are merged, so that tokenisation crosses from template to user text as in the
    /// reference.
    package func render(_ content: [ContentPart]) -> [PromptElement] {
        PromptElement.merged(template?.render(content) ?? Self.originalConversation(content))
    }

    /// The template's text and the file it stands in, in the order `transformers` looks.
    private static func source(
        directory: String
    ) throws(TokenizationError) -> (file: String, source: String) {
        let jinja = "chat_template.jinja"
        if let file = try CheckpointTextFile.readIfPresent(directory: directory, name: jinja) {
            guard let source = String(validating: file.bytes, as: UTF8.self) else {
                throw .unsupportedChatTemplate(
                    file: jinja,
                    reason: "expected UTF-8, got other bytes"
                )
            }
            return (jinja, source)
        }
        for name in ["chat_template.json", "processor_config.json", "tokenizer_config.json"] {
            guard let file = try CheckpointTextFile.readIfPresent(directory: directory, name: name)
            else { continue }
            let field = try JSONField(file: name, root: file.parsed()).member("chat_template")
            switch field.value {
            case .null: continue
            case .array: return (name, try defaultTemplate(among: field))
            default: return (name, try field.string())
            }
        }
        throw .unsupportedChatTemplate(
            file: directory,
            reason: "expected a chat template in chat_template.jinja, chat_template.json or "
                + "tokenizer_config.json, got none"
        )
    }

    /// tokenizer_config.json may hold a list of named templates.
    private static func defaultTemplate(
        among list: JSONField
    ) throws(TokenizationError) -> String {
        for entry in try list.elements() {
            if case .string("default")? = entry.value["name"] {
                return try entry.member("template").string()
            }
        }
        throw list.invalid(expected: "a template named 'default'")
    }

    /// `qwen_1_5` of LLaVA-NeXT, with the question as the UnifiedReward scripts write it: every
    /// image followed by a line break, and a pair of images set apart by a space
    /// (`<image>\n <image>\n`), while longer rows, the frames of videos, are not. A clip has one
    /// slot, written like an image's, and no space before the next clip.
    private static func originalConversation(_ content: [ContentPart]) -> [PromptElement] {
        var elements: [PromptElement] = [
            .control("<|im_start|>"), .text("system\nYou are a helpful assistant."),
            .control("<|im_end|>"), .text("\n"), .control("<|im_start|>"), .text("user\n"),
        ]
        let slotCount = content.count { if case .text = $0 { false } else { true } }
        var previousIsSlot = false
        for part in content {
            let slot: PromptElement
            switch part {
            case .image(let number): slot = .image(number)
            case .video(let number): slot = .video(number)
            case .text(let text):
                elements.append(.text(text))
                previousIsSlot = false
                continue
            }
            if case .image = slot, previousIsSlot, slotCount == 2 { elements.append(.text(" ")) }
            elements += [slot, .text("\n")]
            previousIsSlot = true
        }
        elements += [
            .control("<|im_end|>"), .text("\n"), .control("<|im_start|>"), .text("assistant\n"),
        ]
        return elements
    }
}
