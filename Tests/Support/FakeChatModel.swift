import Glibc
import JSONReading

/// A language model that knows a few answers by heart, each with its probability, behind the interface of
/// `/models` and `/chat/completions` as vLLM and llama-server have it.
///
/// Its tokens are words with the space before them. Asked with the beginning of an answer it goes on as those
/// do that begin so; what an engine makes of its token probabilities must therefore be the answers' own.
package struct FakeChatModel: Sendable {
    /// An answer and its probability.
    package struct Answer: Sendable {
        let text: String
        let probability: Double
    }

    /// A question is taken for the first set whose mark its text has.
    package let sets: [(mark: String, answers: [Answer])]
    /// Whether a last message of the assistant's is gone on with, as not every server does.
    package var continuesAnswers = true
    /// Whether pictures are shown, which makes prompts longer.
    package var showsPictures = true
    /// Whether token probabilities are told.
    package var tellsProbabilities = true

    /// A model of these sets.
    package init(_ sets: [(mark: String, answers: KeyValuePairs<String, Double>)]) {
        self.sets = sets.map { set in
            (set.mark, set.answers.map { Answer(text: $0.key, probability: $0.value) })
        }
    }

    /// The reply to a request, the name of the model being `reward`.
    package func reply(to request: HTTPStub.Request) -> HTTPStub.Reply {
        if request.path == "/v1/models" { return .json(Self.list) }
        guard let document = try? JSONReader.read(request.body),
            case .array(let messages)? = document["messages"], let user = messages.first
        else { return .json(#"{"error": {"message": "no messages"}}"#, status: 400) }
        let prefill = messages.count > 1 ? messages[1]["content"]?.text ?? "" : ""
        let text = Self.text(of: user)
        let set =
            sets.first { text.contains($0.mark) }?.answers ?? [Answer(text: "1", probability: 1)]
        let count = Int(document["max_tokens"]?.integer ?? 16)
        let offers = Int(document["top_logprobs"]?.integer ?? 0)
        var written = continuesAnswers ? prefill : ""
        let start = written
        var tokens: [JSONNode] = []
        var isComplete = false
        for _ in 0..<count {
            let next = Self.next(after: written, in: set)
            guard let first = next.first, !first.token.isEmpty else {
                isComplete = true
                break
            }
            tokens.append(Self.node(next, offers: offers))
            written += first.token
        }
        let pictures = showsPictures ? 50 * Self.pictureCount(in: user) : 0
        let overhead = prefill.isEmpty ? 0 : continuesAnswers ? 0 : 5
        return .json(
            JSONNode.object([
                "object": .string("chat.completion"), "model": .string("reward"),
                "choices": .array([
                    .object([
                        "index": .int(0),
                        "message": .object([
                            "role": .string("assistant"),
                            "content": .string(String(written.dropFirst(start.count))),
                        ]),
                        "logprobs": offers > 0 && tellsProbabilities
                            ? .object(["content": .array(tokens)]) : .null,
                        "finish_reason": .string(isComplete ? "stop" : "length"),
                    ])
                ]),
                "usage": .object([
                    "prompt_tokens": .int(
                        Int64(100 + Self.tokens(of: prefill).count + overhead + pictures)
                    ),
                    "completion_tokens": .int(Int64(tokens.count)),
                ]),
            ]).json
        )
    }

    private static let list = """
        {"object": "list", "data": [{"id": "reward", "object": "model", "owned_by": "fake",
         "created": \(time(nil)), "root": "/models/reward", "max_model_len": 8192}]}
        """

    private static func text(of message: JSONNode) -> String {
        if let text = message["content"]?.text { return text }
        guard case .array(let parts)? = message["content"] else { return "" }
        return parts.compactMap { $0["text"]?.text }.joined()
    }

    private static func pictureCount(in message: JSONNode) -> Int {
        guard case .array(let parts)? = message["content"] else { return 0 }
        return parts.count { $0["type"]?.text == "image_url" }
    }

    /// The tokens that may follow, the most probable first; an empty one for the end.
    private static func next(
        after written: String,
        in answers: [Answer]
    ) -> [(token: String, probability: Double)] {
        var shares: [String: Double] = [:]
        var sum = 0.0
        for answer in answers where answer.text.hasPrefix(written) {
            let token = tokens(of: String(answer.text.dropFirst(written.count))).first ?? ""
            shares[token, default: 0] += answer.probability
            sum += answer.probability
        }
        return shares.map { ($0.key, $0.value / sum) }
            .sorted { ($0.probability, $1.token) > ($1.probability, $0.token) }
    }

    private static func tokens(of text: String) -> [String] {
        var tokens: [String] = []
        for character in text {
            if character == " " || tokens.isEmpty {
                tokens.append(String(character))
            } else {
                tokens[tokens.count - 1].append(character)
            }
        }
        return tokens
    }

    /// A written token with the most probable ones, the rest of the list being tokens of no account.
    private static func node(
        _ next: [(token: String, probability: Double)],
        offers: Int
    ) -> JSONNode {
        func offer(_ token: String, _ probability: Double) -> [JSONNode.Member] {
            [
                .init(name: "token", value: .string(token)),
                .init(name: "logprob", value: .number("\(log(probability))")),
                .init(name: "bytes", value: .array(token.utf8.map { .int(Int64($0)) })),
            ]
        }
        var listed = next.prefix(offers).map { JSONNode.object(offer($0.token, $0.probability)) }
        for index in 0..<max(offers - listed.count, 0) {
            listed.append(.object(offer("filler\(index)", 1e-12)))
        }
        return .object(
            offer(next[0].token, next[0].probability)
                + [.init(name: "top_logprobs", value: .array(listed))]
        )
    }
}
