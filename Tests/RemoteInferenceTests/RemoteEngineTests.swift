import Foundation
import Hashing
import Inference
import JSONReading
import MediaDecoding
import TestSupport
import Testing
import Tokenization

@testable import RemoteInference

@Suite("An engine on a server")
struct RemoteEngineTests {
    @Test("asks with the prompt in one message, greedily, its pictures as they were decoded")
    func request() async throws {
        let stub = try RemoteBench.stub { request, _ in RemoteBench.pair.reply(to: request) }
        let engine = try await RemoteBench.engine(on: stub)
        let first = try RemoteBench.image("first")
        let clip = EngineClip(frames: [first, try RemoteBench.image("second", width: 9)])
        let response = try await engine.generate(
            GenerateRequest(
                prompt: EnginePrompt(
                    content: [.image(0), .video(0), .text("a \"quoted\"\nline, how good?")],
                    images: [first],
                    clips: [clip]
                ),
                maximumTokens: 32
            )
        )
        #expect(response.text == "Final Score: 4")
        #expect(response.finishReason == .stop)
        #expect(response.promptTokens == 250 && response.generatedTokens == 3)
        let sent = try #require(stub.requests.last)
        #expect(sent.method == "POST" && sent.path == "/v1/chat/completions")
        #expect(sent.fields["content-type"] == "application/json")
        #expect(sent.fields["authorization"] == nil)
        let document = try JSONReader.read(sent.body)
        #expect(document["model"]?.text == "reward")
        #expect(document["temperature"] == .number("0") && document["seed"] == .number("0"))
        #expect(document["max_tokens"] == .number("32"))
        #expect(document["logprobs"] == nil && document["continue_final_message"] == nil)
        guard case .array(let messages)? = document["messages"], messages.count == 1,
            case .array(let parts)? = messages[0]["content"]
        else {
            Issue.record("expected one message of parts, got \(document.json.prefix(300))")
            return
        }
        #expect(messages[0]["role"]?.text == "user")
        #expect(
            parts.map { $0["type"]?.text } == ["image_url", "image_url", "image_url", "text"]
        )
        #expect(parts[3]["text"]?.text == "a \"quoted\"\nline, how good?")
        let decoder = ImageDecoder(limits: MediaLimits())
        for (part, image) in zip(parts, [first, clip.frames[0], clip.frames[1]]) {
            let uri = try #require(part["image_url"]?["url"]?.text)
            let prefix = "data:image/png;base64,"
            #expect(uri.hasPrefix(prefix))
            let file = try #require(Data(base64Encoded: String(uri.dropFirst(prefix.count))))
            #expect(try decoder.decode(Array(file)) == image.image)
        }
    }

    @Test("sends how a candidate is sampled, and refuses a penalty that no server can be told")
    func decoding() async throws {
        let stub = try RemoteBench.stub { request, _ in RemoteBench.pair.reply(to: request) }
        let engine = try await RemoteBench.engine(on: stub)
        var request = GenerateRequest(
            prompt: EnginePrompt(content: [.text("how good?")], images: []),
            maximumTokens: 8,
            decoding: Decoding(
                repetitionPenalty: 1.05,
                sampling: .init(temperature: 0.7, topP: 0.9, topK: 20, seed: 1 << 40 | 5)
            )
        )
        _ = try await engine.generate(request)
        let document = try JSONReader.read(try #require(stub.requests.last).body)
        #expect(document["temperature"] == .number("0.7") && document["top_p"] == .number("0.9"))
        #expect(document["top_k"] == .number("20") && document["seed"] == .number("5"))
        #expect(document["repetition_penalty"] == .number("1.05"))
        request.decoding = Decoding(repetitionPenalty: 1.05, penalizesPrompt: false)
        await #expect(throws: RemoteRefusal.self) { _ = try await engine.generate(request) }
    }

    @Test("gives the probabilities of the answers, each the product of its tokens'")
    func choices() async throws {
        let stub = try RemoteBench.stub { request, _ in RemoteBench.pair.reply(to: request) }
        let engine = try await RemoteBench.engine(on: stub)
        let pair = try await engine.choose(
            ChooseRequest(
                prompt: EnginePrompt(content: [.text("which is better?")]),
                choices: [
                    "Both images are equally good.", "Image 1 is better than Image 2.",
                    "Image 2 is better than Image 1.",
                ]
            )
        )
        expect(pair.probabilities, [0.08, 0.62, 0.30])
        // "Image", " 1": what parts on the way of the most probable answer comes with one request.
        #expect(stub.requests.count == 2)
        let score = try await engine.choose(
            ChooseRequest(
                prompt: EnginePrompt(content: [.text("how good?")]),
                answerPrefix: "Final Score: ",
                choices: ["1", "2", "3", "4", "5"]
            )
        )
        expect(score.probabilities, [0.02, 0.08, 0.2, 0.6, 0.1])
        #expect(score.promptTokens > 0 && score.seconds > 0)
        let document = try JSONReader.read(try #require(stub.requests.last).body)
        #expect(document["logprobs"] == .bool(true))
        #expect(document["top_logprobs"] == .number("20"))
        #expect(document["continue_final_message"] == .bool(true))
        guard case .array(let messages)? = document["messages"] else {
            Issue.record("expected messages")
            return
        }
        // Without the space at its end, which servers may cut.
        #expect(messages.last?["role"]?.text == "assistant")
        #expect(messages.last?["content"]?.text == "Final Score:")
    }

    @Test("asks again for what parts from the way of the most probable answer")
    func sideways() async throws {
        let model = FakeChatModel([
            ("", ["Both are good.": 0.6, "Image 1 wins.": 0.3, "Image 2 wins.": 0.1])
        ])
        let stub = try RemoteBench.stub { request, _ in model.reply(to: request) }
        let engine = try await RemoteBench.engine(on: stub)
        let response = try await engine.choose(
            ChooseRequest(
                prompt: EnginePrompt(content: [.text("?")]),
                choices: ["Image 1 wins.", "Image 2 wins.", "Both are good."]
            )
        )
        expect(response.probabilities, [0.3, 0.1, 0.6])
        #expect(stub.requests.count == 3)
    }

    @Test("finds out whether the server goes on with an answer, and refuses choices where not")
    func continuation() async throws {
        for continues in [true, false] {
            var model = RemoteBench.pair
            model.continuesAnswers = continues
            let server = model
            let stub = try HTTPStub { request, _ in server.reply(to: request) }
            let engine = try await RemoteBench.engine(on: stub) { $0.prefill = .auto }
            let request = ChooseRequest(
                prompt: EnginePrompt(content: [.text("how good?")]),
                answerPrefix: "Final Score: ",
                choices: ["1", "2", "3", "4", "5"]
            )
            if continues {
                expect(try await engine.choose(request).probabilities, [0.02, 0.08, 0.2, 0.6, 0.1])
                continue
            }
            let refusal = await #expect(throws: RemoteRefusal.self) {
                try await engine.choose(request)
            }
            #expect(refusal?.code == "remote_choices")
            #expect(refusal?.message.contains("--option answer=generate") == true)
            #expect(try await engine.generate(RemoteBench.prompt("how good?")).text != "")
        }
    }

    @Test("finds out whether the model is shown pictures, and refuses them where not")
    func pictures() async throws {
        for shows in [true, false] {
            var model = RemoteBench.pair
            model.showsPictures = shows
            let server = model
            let stub = try HTTPStub { request, _ in server.reply(to: request) }
            let engine = try await RemoteBench.engine(on: stub) { $0.pictures = .auto }
            var request = RemoteBench.prompt("how good?")
            #expect(try await engine.generate(request).text == "Final Score: 4")
            request.prompt.content.insert(.image(0), at: 0)
            request.prompt.images = [try RemoteBench.image("first")]
            if shows {
                #expect(try await engine.generate(request).text == "Final Score: 4")
                continue
            }
            let refusal = await #expect(throws: RemoteRefusal.self) {
                try await engine.generate(request)
            }
            #expect(refusal?.message.contains("shows the model pictures") == true)
        }
    }

    @Test(
        "refuses pictures where the server fails over them and answers words, as llama-server does"
    )
    func failsOverPictures() async throws {
        let stub = try HTTPStub { request, _ in
            String(decoding: request.body, as: UTF8.self).contains("image_url")
                ? .json(#"{"error": {"message": "image input is not supported"}}"#, status: 500)
                : RemoteBench.pair.reply(to: request)
        }
        let engine = try await RemoteBench.engine(on: stub) {
            $0.pictures = .auto
            $0.retries = 0
        }
        var request = RemoteBench.prompt("how good?")
        #expect(try await engine.generate(request).text == "Final Score: 4")
        request.prompt.content.insert(.image(0), at: 0)
        request.prompt.images = [try RemoteBench.image("first")]
        let refusal = await #expect(throws: RemoteRefusal.self) {
            try await engine.generate(request)
        }
        #expect(refusal?.code == "remote_refused")
    }

    @Test("asks a server that knows OpenAI's fields alone without the penalty that is none")
    func strict() async throws {
        let stub = try HTTPStub { request, _ in
            String(decoding: request.body, as: UTF8.self).contains("repetition_penalty")
                ? .json(#"{"detail": "Unexpected fields: {'repetition_penalty'}"}"#, status: 422)
                : RemoteBench.pair.reply(to: request)
        }
        let engine = try await RemoteBench.engine(on: stub)
        for count in [3, 4] {
            let response = try await engine.generate(RemoteBench.prompt("how good?"))
            #expect(response.text == "Final Score: 4" && stub.requests.count == count)
        }
        var penalised = RemoteBench.prompt("how good?")
        penalised.decoding.repetitionPenalty = 1.05
        let refusal = await #expect(throws: RemoteRefusal.self) {
            try await engine.generate(penalised)
        }
        #expect(refusal?.message.contains("repetition_penalty") == true)
    }

    @Test("takes templates and penalty from the files published beside the weights")
    func files() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "rewardd-files-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let stub = try HTTPStub { request, _ in RemoteBench.pair.reply(to: request) }
        func engine() async throws -> any AnswerEngine {
            try await RemoteBench.engine(on: stub) { $0.files = folder }
        }
        #expect(try await engine().repetitionPenalty == 1)
        let file = URL(filePath: folder + "/generation_config.json")
        try Data(#"{"repetition_penalty": 1.05}"#.utf8).write(to: file)
        let published = try await engine()
        #expect(published.repetitionPenalty == 1.05 && published.modelDirectory == folder)
        var request = RemoteBench.prompt("how good?")
        request.decoding.repetitionPenalty = published.repetitionPenalty
        _ = try await published.generate(request)
        let document = try JSONReader.read(try #require(stub.requests.last).body)
        #expect(document["repetition_penalty"]?.double == 1.05)
        #expect(document["repeat_penalty"]?.double == 1.05)
        #expect(document["repeat_last_n"]?.integer == -1)
        for text in ["[", #"{"repetition_penalty": "1"}"#, #"{"repetition_penalty": 0}"#] {
            try Data(text.utf8).write(to: file)
            let fault = await #expect(throws: RemoteFault.self) { try await engine() }
            #expect(fault?.kind == .host && fault?.description.contains(folder) == true)
        }
    }

    @Test("refuses choices where the server tells no probabilities")
    func noProbabilities() async throws {
        var model = RemoteBench.pair
        model.tellsProbabilities = false
        let server = model
        let stub = try RemoteBench.stub { request, _ in server.reply(to: request) }
        let engine = try await RemoteBench.engine(on: stub)
        let refusal = await #expect(throws: RemoteRefusal.self) {
            try await engine.choose(
                ChooseRequest(
                    prompt: EnginePrompt(content: [.text("which is better?")]),
                    choices: ["Image 1 is better than Image 2.", "Both images are equally good."]
                )
            )
        }
        #expect(refusal?.code == "remote_choices")
        #expect(refusal?.message.contains("got none") == true)
    }

    @Test("is named by what the server says of the model, or by a revision, never by where it is")
    func identity() async throws {
        let stub = try RemoteBench.stub { _, _ in .nothing }
        let other = try RemoteBench.stub { _, _ in .nothing }
        let plain = try await RemoteBench.engine(on: stub)
        #expect(try await RemoteBench.engine(on: other).modelDigest == plain.modelDigest)
        #expect(!plain.answersAreShared)
        let first = try await RemoteBench.engine(on: stub) { $0.revision = "2026-11" }
        let second = try await RemoteBench.engine(on: other) { $0.revision = "2026-12" }
        #expect(first.answersAreShared)
        #expect(Set([plain, first, second].map(\.modelDigest)).count == 3)
        #expect(plain.identity == first.identity && !plain.identity.contains("127.0.0.1"))
        #expect(plain.modelDirectory == nil)
    }

    private func expect(_ got: [Double], _ wanted: [Double]) {
        #expect(got.count == wanted.count)
        for (got, wanted) in zip(got, wanted) {
            #expect(abs(got - wanted) < 1e-9, "\(got) \(wanted)")
        }
    }
}
