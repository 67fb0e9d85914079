import Foundation
import Inference
import JSONReading
import Testing

@testable import RemoteInference

@Suite("What servers answer, as bytes")
struct AnswerReaderTests {
    private static let good = Array(
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: Application/JSON; charset=x\r\n"
            + "Retry-After: 7\r\nRETRY-AFTER: 8\r\n\r\n{\"a\":1}").utf8
    )

    private static let chat = Array(
        #"""
        {"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Final"},
         "logprobs": {"content": [{"token": "Final", "logprob": -0.1, "bytes": [70, 105, 110, 97, 108],
          "top_logprobs": [{"token": "Final", "logprob": -0.1, "bytes": null},
                           {"token": "The", "logprob": -3.5}]}]},
         "finish_reason": "length"}], "usage": {"prompt_tokens": 12, "completion_tokens": 1}}
        """#.utf8
    )

    private static let models = Array(
        #"""
        {"object": "list", "data": [{"id": "reward", "created": 1, "owned_by": "vllm", "root": "/m",
         "parent": null, "permission": [{"id": "p"}], "meta": {"n_params": 7, "a": [1]}}]}
        """#.utf8
    )

    @Test("a head and a body, after interim heads")
    func head() throws {
        let answer = try #require(HTTPAnswer(Self.good))
        #expect(answer.status == 200 && answer.contentType == "application/json")
        #expect(answer.retryAfter == .seconds(8) && answer.location == nil)
        #expect(answer.body == Array("{\"a\":1}".utf8))
        for text in ["", "HTTP/1.1 200 OK", "HTTP/1.1 999 X\r\n\r\n", "X 200\r\n\r\n", "\r\n\r\n"] {
            #expect(HTTPAnswer(Array(text.utf8)) == nil, "\(text)")
        }
        #expect(HTTPAnswer(Array("HTTP/1.1 204\n\n".utf8))?.status == 204)
    }

    @Test("a pause in seconds or until a date")
    func pauses() {
        let now = Date(timeIntervalSince1970: 784_111_777)
        for (text, wait) in [
            ("120", Duration.seconds(120)), ("0", .zero), ("99999999", .seconds(86400)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", .seconds(60)),
            ("Sun, 06 Nov 1993 08:50:37 GMT", .zero),
        ] {
            #expect(HTTPAnswer.delay(text, now: now) == wait, "\(text)")
        }
        for text in ["-1", "soon", "", "1.5"] {
            #expect(HTTPAnswer.delay(text, now: now) == nil, "\(text)")
        }
    }

    @Test("tokens with their probabilities")
    func tokens() throws {
        let answer = try ChatAnswer(try JSONReader.read(Self.chat), from: "here")
        #expect(answer.text == "Final" && answer.finish == .length && answer.promptTokens == 12)
        let token = try #require(answer.tokens?.first)
        #expect(token.bytes == Array("Final".utf8))
        #expect(token.offers.map { String(decoding: $0.bytes, as: UTF8.self) } == ["Final", "The"])
        #expect(abs(token.offers[1].probability - 0.0302) < 1e-4)
        for text in [
            #"{"token": "a", "logprob": 0.5, "top_logprobs": []}"#,
            #"{"token": "a", "logprob": null, "top_logprobs": []}"#,
            #"{"token": "a", "logprob": -1}"#,
            #"{"token": "a", "logprob": -1, "bytes": [300], "top_logprobs": []}"#,
            #"{"token": "a", "logprob": -0.1, "top_logprobs": [{"token": "b", "logprob": -0.1}]}"#,
        ] {
            #expect(WrittenToken(try #require(JSONReader.read(text))) == nil, "\(text)")
        }
        #expect(throws: RemoteRefusal.self) {
            try ChatAnswer(
                try #require(
                    JSONReader.read(
                        #"{"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]}"#
                    )
                ),
                from: "here"
            )
        }
    }

    @Test("a model by what does not change from answer to answer")
    func servedModel() throws {
        func model(_ text: String, _ name: String? = nil) throws -> ServedModel {
            try ServedModel(
                try #require(JSONReader.read(text)),
                named: name,
                engine: "reward",
                url: "here"
            )
        }
        let text = String(decoding: Self.models, as: UTF8.self)
        let first = try model(text)
        #expect(first.id == "reward")
        let later = text.replacing("\"created\": 1", with: "\"created\": 2")
            .replacing("\"p\"", with: "\"q\"")
            .replacing(#""n_params": 7, "a": [1]"#, with: #""a": [1], "n_params": 7"#)
        #expect(try model(later, "reward") == first)
        for (old, new) in [
            ("\"/m\"", "\"/n\""), ("\"vllm\"", "\"sglang\""),
            ("\"n_params\": 7", "\"n_params\": 8"),
        ] {
            let other = try model(text.replacing(old, with: new))
            #expect(other.digest(revision: nil) != first.digest(revision: nil))
            #expect(other.digest(revision: "r1") == first.digest(revision: "r1"))
        }
        let fault = #expect(throws: RemoteFault.self) { try model(text, "other") }
        #expect(fault?.description.contains("engine.reward.served-model") == true)
        #expect(fault?.kind == .refused)
        #expect(throws: RemoteFault.self) { try model(#"{"data": [{"id": "a"}, {"id": "b"}]}"#) }
        #expect(throws: RemoteFault.self) { try model(#"{"data": []}"#) }
        #expect(throws: RemoteFault.self) { try model("{}") }
    }

    @Test("damaged ones are read or refused, and never end the process")
    func damaged() {
        for seed in UInt64(1)...4000 {
            var random = SeededBytes(seed: seed)
            let head = random.damaged(Self.good)
            if let answer = HTTPAnswer(head) {
                #expect((100..<600).contains(answer.status), "seed \(seed)")
            }
            if let document = try? JSONReader.read(random.damaged(Self.chat)),
                let answer = try? ChatAnswer(document, from: "here")
            {
                var walk = try? ChoiceWalk(prefix: "Fin", choices: ["al", "ish", "The"])
                try? walk?.take(answer.tokens ?? [])
                for token in answer.tokens ?? [] {
                    let sum = token.offers.reduce(0) { $0 + $1.probability }
                    #expect(sum < 1.01 && sum >= 0, "seed \(seed)")
                }
            }
            if let document = try? JSONReader.read(random.damaged(Self.models)) {
                _ = try? ServedModel(document, named: nil, engine: "x", url: "here")
            }
            let sentence = ServerSentence.of(random.damaged(Self.chat), hiding: "Final")
            #expect(sentence.count <= ServerSentence.longest + 1, "seed \(seed)")
            #expect(!sentence.contains("Final") && !sentence.contains("\n"), "seed \(seed)")
            let url = random.damaged(Array("http://h:1/v1".utf8))
            _ = try? ServerURL(String(decoding: url, as: UTF8.self))
        }
    }
}
