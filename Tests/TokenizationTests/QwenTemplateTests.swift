import Foundation
import Testing

@testable import Tokenization

/// What the reference made of one prompt of a Qwen-VL model.
private struct QwenPromptGolden: Decodable {
    let prompt: String
}

@Suite("chat templates of Qwen-VL")
struct QwenTemplateTests {
    @Test(
        "renders the reference's prompts",
        arguments: ["qwen2_5_vl", "qwen3_vl"],
        ["img1", "img2", "text_only", "video8", "mix_img_video"]
    )
    func goldens(family: String, name: String) throws {
        let golden = try TokenizerGoldens.decode(
            QwenPromptGolden.self,
            from: "\(family)/golden/\(name).json"
        )
        let template = try ChatTemplate.read(
            directory: TokenizerGoldens.path + "/\(family)/hf-bf16",
            modelType: family
        )
        #expect(template.name == "qwen-vl" && template.carriesVideos)
        var elements = template.render(Self.content(of: golden.prompt))
        for (index, element) in elements.enumerated() {
            switch element {
            case .image: elements[index] = .control("<|image_pad|>")
            case .video: elements[index] = .control("<|video_pad|>")
            case .text, .control: break
            }
        }
        #expect(Self.text(of: elements) == golden.prompt)
    }

    @Test("what stands off the way of a user message is stepped over: tools, system, other roles")
    func longTemplate() throws {
        let source = """
            {%- if tools %}
                {{- '<|im_start|>system\\n' }}
                {%- if messages[0].role == 'system' %}
                    {%- for content in messages[0].content %}{{- content.text }}{%- endfor %}
                {%- endif %}
                {%- for tool in tools %}{{- tool | tojson }}{%- endfor %}
            {%- else %}
                {%- if messages[0].role == 'system' %}
                    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
                {%- endif %}
            {%- endif %}
            {%- set image_count = namespace(value=0) %}
            {%- for message in messages %}
                {%- if message.role == "user" %}
                    {{- '<|im_start|>' + message.role + '\\n' }}
                    {%- if message.content is string %}
                        {{- message.content }}
                    {%- else %}
                        {%- for content in message.content %}
                            {%- if content.type == 'image' or 'image' in content or 'image_url' in content %}
                                {%- set image_count.value = image_count.value + 1 %}
                                {%- if add_vision_id %}Picture {{ image_count.value }}: {% endif -%}
                                <|vision_start|><|image_pad|><|vision_end|>
                            {%- elif content.type == 'video' or 'video' in content %}
                                {%- set video_count.value = video_count.value + 1 %}
                                {%- if add_vision_id %}Video {{ video_count.value }}: {% endif -%}
                                <|vision_start|><|video_pad|><|vision_end|>
                            {%- elif 'text' in content %}
                                {{- content.text }}
                            {%- endif %}
                        {%- endfor %}
                    {%- endif %}
                    {{- '<|im_end|>\\n' }}
                {%- elif message.role == "assistant" %}
                    {%- if message.tool_calls %}{{- message.tool_calls | tojson }}{%- endif %}
                {%- elif message.role == "tool" %}
                    {%- if loop.first or messages[loop.index0 - 1].role != "tool" %}
                        {{- '<|im_start|>user' }}
                    {%- endif %}
                {%- endif %}
            {%- endfor %}
            {%- if add_generation_prompt %}
                {{- '<|im_start|>assistant\\n<think>\\n' }}
            {%- endif %}
            """
        let directory = try TemporaryDirectory(["chat_template.jinja": source])
        let template = try ChatTemplate.read(directory: directory.path, modelType: "qwen3_vl")
        #expect(
            template.render([.text("a "), .image(0), .text(" b"), .video(0)]) == [
                .control("<|im_start|>"), .text("user\na "), .control("<|vision_start|>"),
                .image(0), .control("<|vision_end|>"), .text(" b"), .control("<|vision_start|>"),
                .video(0), .control("<|vision_end|>"), .control("<|im_end|>"), .text("\n"),
                .control("<|im_start|>"), .text("assistant\n"), .control("<think>"), .text("\n"),
            ]
        )
    }

    @Test(
        "what stands on the way and is not understood is refused by name",
        arguments: [
            ("{{ message['role'] }}", "{{ message['name'] }}", "'message['name']'"),
            ("{% set video", "{% macro f() %}{% set video", "macro f()"),
            (
                "message['content'] is string", "message['weight'] is string",
                "'message['weight'] is"
            ),
            ("{% elif 'text' in content %}", "{% elif 'audio' in content %}", "'audio' in content"),
            ("<|vision_start|><|image_pad|>", "<|image_pad|><|image_pad|>", "each image"),
            ("<|im_start|>assistant", "<|tool_start|>assistant", "unknown token"),
        ]
    )
    func refusals(original: String, replacement: String, sentence: String) throws {
        let path = TokenizerGoldens.path + "/qwen2_5_vl/hf-bf16/chat_template.json"
        let text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        let changed = text.replacingOccurrences(of: original, with: replacement)
        #expect(changed != text)
        let directory = try TemporaryDirectory(["chat_template.json": changed])
        #expect {
            try ChatTemplate.read(directory: directory.path, modelType: "qwen2_5_vl")
        } throws: { error in
            "\(error)".contains(sentence)
        }
    }

    /// The parts of a recorded prompt's user message.
    private static func content(of prompt: String) -> [ContentPart] {
        let user = prompt.components(separatedBy: "<|im_start|>user\n").last ?? ""
        var rest = user.components(separatedBy: "<|im_end|>")[0][...]
        var parts: [ContentPart] = []
        var (images, videos) = (0, 0)
        let marks = [
            "<|vision_start|><|image_pad|><|vision_end|>",
            "<|vision_start|><|video_pad|><|vision_end|>",
        ]
        while let found = marks.compactMap({ rest.range(of: $0) })
            .min(by: { $0.lowerBound < $1.lowerBound })
        {
            if found.lowerBound > rest.startIndex {
                parts.append(.text(String(rest[..<found.lowerBound])))
            }
            if rest[found].contains("image") {
                parts.append(.image(images))
                images += 1
            } else {
                parts.append(.video(videos))
                videos += 1
            }
            rest = rest[found.upperBound...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        return parts
    }

    private static func text(of elements: [PromptElement]) -> String {
        elements.map { element in
            switch element {
            case .text(let text), .control(let text): text
            case .image, .video: "?"
            }
        }.joined()
    }
}
