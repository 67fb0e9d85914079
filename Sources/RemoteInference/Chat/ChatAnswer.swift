import Foundation
import Inference
import JSONReading

/// What `/chat/completions` answered, read and checked.
struct ChatAnswer: Equatable {
    /// What the model wrote.
    let text: String
    let finish: FinishReason
    /// As the server counts; nil when it does not say.
    let promptTokens: Int?
    let generatedTokens: Int?
    /// The tokens written with those that might have been, in order; nil when the server tells none.
    let tokens: [WrittenToken]?

    /// Reads an answer.
    ///
    /// Throws `RemoteFault` for a document that is no such answer, `RemoteRefusal` where the server ended it by
    /// a filter of its own.
    init(_ document: JSONNode, from url: String) throws {
        func malformed(_ path: String, _ expected: String, _ found: JSONNode?) -> RemoteFault {
            RemoteFault(
                .malformed,
                "\(url): \(path): expected \(expected), got \(found?.kind ?? "nothing"). "
                    + "Is it an OpenAI-compatible server?"
            )
        }
        guard case .array(let choices)? = document["choices"], let choice = choices.first else {
            throw malformed("choices", "a list of one answer", document["choices"])
        }
        guard let reason = choice["finish_reason"]?.text else {
            throw malformed("choices[0].finish_reason", "a string", choice["finish_reason"])
        }
        guard let finish = FinishReason(rawValue: reason) else {
            throw RemoteRefusal(
                code: "remote_refused",
                message: "\(url): expected an answer that ends by itself or at its longest, got "
                    + "one ended by \"\(ServerSentence.cleaned(reason, hiding: nil))\"."
            )
        }
        switch choice["message"]?["content"] {
        case .string(let text)?: self.text = text
        // Nothing was written beside the thinking, which servers may keep apart: unparsed, as no words are.
        case .null?: text = ""
        case let other:
            throw malformed("choices[0].message.content", "a string", other)
        }
        self.finish = finish
        let usage = document["usage"]
        promptTokens = Self.count(usage?["prompt_tokens"])
        generatedTokens = Self.count(usage?["completion_tokens"])
        switch choice["logprobs"]?["content"] {
        case nil, .null?: tokens = nil
        case .array(let nodes)?:
            var tokens: [WrittenToken] = []
            for (index, node) in nodes.enumerated() {
                guard let token = WrittenToken(node) else {
                    throw malformed(
                        "choices[0].logprobs.content[\(index)]",
                        "a token with its probability and those of others",
                        node
                    )
                }
                tokens.append(token)
            }
            self.tokens = tokens
        case let other?: throw malformed("choices[0].logprobs.content", "a list", other)
        }
    }

    /// A count that fits the table's columns.
    private static func count(_ node: JSONNode?) -> Int? {
        node?.integer.flatMap { (0...Int64(Int32.max)).contains($0) ? Int($0) : nil }
    }
}

/// A token that was written, and the most probable ones in its place.
struct WrittenToken: Equatable {
    /// A token with its probability.
    struct Offer: Equatable {
        /// UTF-8, perhaps a part of a character.
        let bytes: [UInt8]
        let probability: Double
    }

    let bytes: [UInt8]
    /// The tokens told, the written one among them, falling.
    let offers: [Offer]

    /// The probability of a token is `exp(logprob)`. Nil for what is none: no number, above 0 by more than
    /// rounding, or more than 1 in all.
    init?(_ node: JSONNode) {
        guard let written = Self.offer(node), case .array(let nodes)? = node["top_logprobs"] else {
            return nil
        }
        var offers: [Offer] = []
        for node in nodes {
            guard let offer = Self.offer(node) else { return nil }
            offers.append(offer)
        }
        if !offers.contains(where: { $0.bytes == written.bytes }) { offers.append(written) }
        guard offers.reduce(0, { $0 + $1.probability }) < 1.01 else { return nil }
        bytes = written.bytes
        self.offers = offers.sorted { $0.probability > $1.probability }
    }

    /// For tests and for what is known by other means.
    init(bytes: [UInt8], offers: [Offer]) {
        self.bytes = bytes
        self.offers = offers.sorted { $0.probability > $1.probability }
    }

    private static func offer(_ node: JSONNode) -> Offer? {
        guard let logarithm = node["logprob"]?.double, logarithm < 0.01, !logarithm.isNaN,
            let text = node["token"]?.text
        else { return nil }
        var bytes = Array(text.utf8)
        // A token that is a part of a character is told in bytes; its text then has a mark in its place.
        if case .array(let numbers)? = node["bytes"] {
            bytes = numbers.compactMap { $0.integer.flatMap { UInt8(exactly: $0) } }
            guard bytes.count == numbers.count else { return nil }
        }
        return Offer(bytes: bytes, probability: min(exp(logarithm), 1))
    }
}
