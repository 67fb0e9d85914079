import Hashing
import Inference
import Logging
import TestSupport
import Tokenization
import VisionPreprocessing

@testable import RemoteInference

/// An engine on a server that a test writes.
enum RemoteBench {
    static let pair = FakeChatModel([
        (
            "which is better",
            [
                "Image 1 is better than Image 2.": 0.62, "Image 2 is better than Image 1.": 0.30,
                "Both images are equally good.": 0.08,
            ]
        ),
        (
            "how good",
            [
                "Final Score: 1": 0.02, "Final Score: 2": 0.08, "Final Score: 3": 0.2,
                "Final Score: 4": 0.6, "Final Score: 5": 0.1,
            ]
        ),
    ])

    static let logger = Logger(level: .error)

    static func model(
        _ url: String,
        change: (inout RemoteEngineOptions) -> Void = { _ in }
    ) throws -> RemoteModel {
        var options = RemoteEngineOptions(
            name: "reward",
            url: try ServerURL(url),
            timeout: .seconds(5),
            prefill: .yes,
            pictures: .yes
        )
        change(&options)
        return try RemoteModel(options: options, logger: logger)
    }

    /// An engine on a stub whose replies to everything but `/models` a test writes; replies are counted from 0.
    static func engine(
        on stub: HTTPStub,
        change: (inout RemoteEngineOptions) -> Void = { _ in }
    ) async throws -> any AnswerEngine {
        try await model(stub.url, change: change).engine()
    }

    /// A stub that lists its model, and leaves all else to `reply`.
    static func stub(
        _ reply: @escaping @Sendable (HTTPStub.Request, Int) -> HTTPStub.Reply
    ) throws -> HTTPStub {
        try HTTPStub { request, number in
            request.path == "/v1/models" ? pair.reply(to: request) : reply(request, number - 1)
        }
    }

    static func image(_ name: String, width: Int = 5, height: Int = 3) throws -> EngineImage {
        let digest = SHA256.digest(name.utf8)
        let pixels = (0..<width * height * 3).map { digest.bytes[$0 % 32] &+ UInt8($0 / 32 % 256) }
        return EngineImage(
            digest: digest,
            image: try RGBImage(width: width, height: height, pixels: pixels)
        )
    }

    static func prompt(_ text: String) -> GenerateRequest {
        GenerateRequest(prompt: EnginePrompt(content: [.text(text)]), maximumTokens: 32)
    }

    /// An answer of the shape that servers give.
    static func answer(_ content: String) -> String {
        #"{"choices": [{"message": {"content": "\#(content)"}, "finish_reason": "stop"}], "#
            + #""usage": {"prompt_tokens": 7, "completion_tokens": 3}}"#
    }
}
