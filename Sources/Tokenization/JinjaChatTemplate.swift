/// A checkpoint's Jinja chat template, reduced to what one user message with images, clips and texts
/// and an open assistant turn renders to. Understood: `for`, `if` and output of literals, the role and
/// the content, in the forms that llava-hf and Qwen-VL checkpoints use; anything else on the way of that
/// message is refused by name instead of being guessed, and what lies off it (system messages, tools) is
/// stepped over. Rendering then cannot fail.
struct JinjaChatTemplate: Sendable {
    indirect enum Node: Sendable, Equatable {
        case fixed(PromptElement)
        /// The image, the clip, or the text of the part that is being rendered.
        case partImage
        case partVideo
        case partText
        /// For each part in order: one of the three lists, by the part's kind.
        case parts(image: [Node], video: [Node], text: [Node])
    }

    /// Why a template cannot be rendered here: a clause that completes a sentence.
    struct Refusal: Error {
        let reason: String
    }

    let nodes: [Node]
    /// Whether every clip has its place; otherwise none has one.
    let carriesVideos: Bool

    init(_ source: String) throws(Refusal) {
        guard let tokens = JinjaSource.tokens(of: source) else {
            throw Refusal(reason: "expected every tag closed, got an open one")
        }
        var parser = Parser(tokens: tokens)
        nodes = try parser.block(scope: Scope(), until: [])
        carriesVideos = try Self.check(nodes)
    }

    func render(_ content: [ContentPart]) -> [PromptElement] {
        Self.render(nodes, content)
    }

    private static func render(_ nodes: [Node], _ content: [ContentPart]) -> [PromptElement] {
        nodes.flatMap { render($0, part: nil, content: content) }
    }

    private static func render(
        _ node: Node,
        part: ContentPart?,
        content: [ContentPart]
    ) -> [PromptElement] {
        switch (node, part) {
        case (.fixed(let element), _): return [element]
        case (.partImage, .image(let slot)): return [.image(slot)]
        case (.partVideo, .video(let slot)): return [.video(slot)]
        case (.partText, .text(let text)): return [.text(text)]
        case (.partImage, _), (.partVideo, _), (.partText, _): return []
        case (.parts(let image, let video, let text), _):
            return content.flatMap { part in
                let body =
                    switch part {
                    case .image: image
                    case .video: video
                    case .text: text
                    }
                return body.flatMap { render($0, part: part, content: content) }
            }
        }
    }

    /// Renders a probe: every image and every text must come out exactly once, and the clips
    /// likewise or, in a template older than they are, not at all. Returns whether they do.
    private static func check(_ nodes: [Node]) throws(Refusal) -> Bool {
        let elements = render(
            nodes,
            [.image(0), .text("\u{1}"), .video(0), .image(1), .text("\u{2}"), .video(1)]
        )
        for wanted: PromptElement in [.image(0), .image(1), .text("\u{1}"), .text("\u{2}")]
        where elements.count(where: { $0 == wanted }) != 1 {
            throw Refusal(reason: "expected each image and each text once, got a part left out")
        }
        let opened = elements.count { $0 == .control("<|im_start|>") }
        let closed = elements.count { $0 == .control("<|im_end|>") }
        if opened != closed + 1 {
            throw Refusal(reason: "expected a closed user turn and an open assistant turn")
        }
        let videos = [0, 1].map { slot in elements.count { $0 == .video(slot) } }
        guard videos == [1, 1] || videos == [0, 0] else {
            throw Refusal(reason: "expected each video once, got one shown more often")
        }
        return videos == [1, 1]
    }
}

/// What is known about the part being rendered while a stretch of template is compiled.
private struct Scope {
    enum PartKind: String {
        case image
        case video
        case text
    }

    var insideMessages = false
    var part: PartKind?
    /// False inside a branch that a user message never takes.
    var isReached = true
}

private struct Parser {
    typealias Node = JinjaChatTemplate.Node
    typealias Refusal = JinjaChatTemplate.Refusal

    private let tokens: [JinjaSource.Token]
    private var position = 0
    private var depth = 0

    init(tokens: [JinjaSource.Token]) {
        self.tokens = tokens
    }

    /// Nodes up to one of the closing statements (not consumed), or to the end for an empty list.
    mutating func block(scope: Scope, until closers: [String]) throws(Refusal) -> [Node] {
        depth += 1
        defer { depth -= 1 }
        if depth > 32 { throw Refusal(reason: "expected blocks at most 32 deep") }
        var nodes: [Node] = []
        while position < tokens.count {
            let token = tokens[position]
            if case .statement(let word) = token, closers.contains(where: word.hasPrefix) {
                return nodes
            }
            position += 1
            switch token {
            case .text(let text):
                nodes += try literal(text, scope: scope)
            case .expression(let expression):
                nodes += try output(expression, scope: scope)
            case .statement(let statement):
                nodes += try self.statement(statement, scope: scope)
            }
        }
        if closers.isEmpty { return nodes }
        throw Refusal(reason: "expected '\(closers[closers.count - 1])', got the template's end")
    }

    private mutating func statement(
        _ statement: String,
        scope: Scope
    ) throws(Refusal) -> [Node] {
        if statement == "generation" || statement == "endgeneration" { return [] }
        if statement.hasPrefix("if ") { return try condition(statement, scope: scope) }
        if statement.hasPrefix("for ") { return try loop(statement, scope: scope) }
        // A variable is harmless until it is used, and its use is refused where it is reached.
        if statement.hasPrefix("set ") || !scope.isReached { return [] }
        throw Refusal(reason: "expected 'for', 'if' or 'set', got \(quoted(statement))")
    }

    private mutating func loop(_ statement: String, scope: Scope) throws(Refusal) -> [Node] {
        let start = position
        func body(_ inner: Scope) throws(Refusal) -> [Node] {
            position = start
            let nodes = try block(scope: inner, until: ["endfor"])
            position += 1
            return nodes
        }
        var inner = scope
        switch Loop(statement) {
        case .messages where !scope.insideMessages:
            inner.insideMessages = true
            return try body(inner)
        case .parts(let only) where scope.insideMessages && scope.part == nil:
            func nodes(for part: Scope.PartKind) throws(Refusal) -> [Node] {
                inner.part = part
                inner.isReached = scope.isReached && (only == nil || only == part.rawValue)
                return try body(inner)
            }
            let image = try nodes(for: .image)
            let video = try nodes(for: .video)
            return [.parts(image: image, video: video, text: try nodes(for: .text))]
        case _ where !scope.isReached:
            return try body(inner)
        default:
            throw Refusal(reason: "expected a loop over messages or content, got '\(statement)'")
        }
    }

    private mutating func condition(
        _ statement: String,
        scope: Scope
    ) throws(Refusal) -> [Node] {
        var nodes: [Node] = []
        var isDecided = false
        var test: Substring? = statement.dropFirst("if ".count)
        while true {
            var inner = scope
            var holds = scope.isReached && !isDecided
            if holds, let test { holds = try value(of: test, scope: scope) }
            inner.isReached = holds
            isDecided = isDecided || holds
            let body = try block(scope: inner, until: ["elif ", "else", "endif"])
            if inner.isReached { nodes += body }
            guard case .statement(let closer) = tokens[position] else { return nodes }
            position += 1
            if closer == "endif" { return nodes }
            test = closer.hasPrefix("elif ") ? closer.dropFirst("elif ".count) : nil
        }
    }

    /// Conditions that one user message with a generation prompt decides.
    private func value(of test: Substring, scope: Scope) throws(Refusal) -> Bool {
        var test = String(test)
        for key in ["role", "content", "type"] {
            for name in ["message", "messages[0]", "content"] {
                test = test.replacing("\(name).\(key)", with: "\(name)['\(key)']")
            }
        }
        do throws(JinjaCondition.Unknown) {
            return try JinjaCondition.holds(test) { Self.isTrue($0, of: scope.part) }
        } catch {
            throw Refusal(
                reason: "expected a test of the role or the content type, got '\(error.fact)'"
            )
        }
    }

    /// What is true of a prompt of one user message with images, clips and texts, without tools.
    private static func isTrue(_ fact: String, of part: Scope.PartKind?) -> Bool? {
        switch fact {
        case "add_generation_prompt", "loop.first", "loop.last", "message['role'] == 'user'",
            "message['role'] != 'assistant'", "message['role'] != 'system'",
            "message['role'] != 'tool'", "messages[0]['role'] == 'user'",
            "messages[0]['role'] != 'system'":
            return true
        case "message['role'] == 'assistant'", "message['role'] == 'system'",
            "message['role'] == 'tool'", "messages[0]['role'] == 'system'", "tools",
            "add_vision_id", "message['content'] is string", "messages[0]['content'] is string":
            return false
        default:
            break
        }
        guard let part else { return nil }
        for kind in ["image", "video", "text", "image_url", "video_url"] {
            if fact == "content['type'] == '\(kind)'" || fact == "'\(kind)' in content" {
                return part.rawValue == kind
            }
        }
        return nil
    }

    /// `'a' + message['role'] + 'b'`
    private func output(_ expression: String, scope: Scope) throws(Refusal) -> [Node] {
        guard scope.isReached else { return [] }
        guard let terms = JinjaExpression.terms(of: expression) else {
            throw Refusal(reason: "expected texts joined by '+', got \(quoted(expression))")
        }
        var nodes: [Node] = []
        for term in terms {
            switch term {
            case .literal(let text):
                nodes += try literal(text, scope: scope)
            case .variable("message['role']") where scope.insideMessages:
                nodes.append(.fixed(.text("user")))
            case .variable("content['text']") where scope.part != nil:
                nodes.append(.partText)
            case .variable(let name):
                throw Refusal(reason: "expected the role or the content, got '\(name)'")
            }
        }
        return nodes
    }

    /// Added tokens that templates name.
    private static let markers = [
        "<|im_start|>", "<|im_end|>", "<image>", "<video>", "<|vision_start|>", "<|vision_end|>",
        "<|image_pad|>", "<|video_pad|>", "<think>", "</think>",
    ]

    /// A template's own text, cut at the control tokens it names.
    private func literal(_ text: String, scope: Scope) throws(Refusal) -> [Node] {
        guard scope.isReached else { return [] }
        var nodes: [Node] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "<") {
            let marker = Self.markers.first { rest[open...].hasPrefix($0) }
            guard let marker else { break }
            if open > rest.startIndex { nodes.append(.fixed(.text(String(rest[..<open])))) }
            switch (marker, scope.part) {
            case ("<image>", .image), ("<|image_pad|>", .image): nodes.append(.partImage)
            case ("<video>", .video), ("<|video_pad|>", .video): nodes.append(.partVideo)
            case ("<image>", _), ("<video>", _), ("<|image_pad|>", _), ("<|video_pad|>", _):
                let kind = marker.contains("image") ? "image" : "video"
                throw Refusal(
                    reason: "expected '\(marker)' once for each \(kind), got it elsewhere"
                )
            default: nodes.append(.fixed(.control(marker)))
            }
            rest = rest[rest.index(open, offsetBy: marker.count)...]
        }
        if rest.contains("<|") { throw Refusal(reason: "got an unknown token \(quoted(text))") }
        if !rest.isEmpty { nodes.append(.fixed(.text(String(rest)))) }
        return nodes
    }
}

/// What a `for` statement runs over.
private enum Loop {
    case messages
    /// The content's parts, all or only those of one type.
    case parts(only: String?)
    case other

    init(_ statement: String) {
        let statement = statement.replacing("message.content", with: "message['content']")
        let parts = "for content in message['content']"
        if statement == "for message in messages" {
            self = .messages
        } else if statement == parts {
            self = .parts(only: nil)
        } else {
            let compact = statement.filter { $0 != " " }
            let kinds = ["image", "video", "text"]
            let kind = kinds.first { kind in
                let filter = "|selectattr('type','equalto','\(kind)')"
                return compact == parts.filter { $0 != " " } + filter
            }
            self = kind.map { .parts(only: $0) } ?? .other
        }
    }
}
