import Hashing
import Inference
import JSONReading
import Tokenization
import VisionPreprocessing

/// Finds out by counting tokens what a server does without a word: some take the beginning of an answer for a
/// turn that is over, some leave pictures out, or show the model their bytes as text. Judgements by such a server
/// would look like any others.
struct ServerProbe {
    let server: RemoteServer
    let model: String

    /// Whether it goes on with a last message of the assistant's, as vLLM, SGLang and llama-server do.
    ///
    /// A digit that is gone on with makes the prompt one token longer (or two); one in a turn of its own comes
    /// with the marks of its end and of the next turn's beginning. False also where tokens are not counted or
    /// the server refuses. Throws `RemoteFault`.
    func continuesAnswers() async throws -> Bool {
        let prompt = EnginePrompt(content: [.text("1")])
        guard case .count(let plain) = try await ask(prompt),
            case .count(let begun) = try await ask(prompt, prefill: "1")
        else { return false }
        return (1...2).contains(begun - plain)
    }

    /// Whether the model is shown pictures.
    ///
    /// A picture makes the prompt longer, and by its size alone: a noisy one has more bytes, no more tokens.
    /// False where the server fails over a picture and not over words, as llama-server does with a model of
    /// texts. True also where tokens are not counted, and where any picture is refused, since each question will
    /// be, with the server's own sentence. Throws `RemoteFault`.
    func showsPictures() async throws -> Bool {
        let words = EnginePrompt(content: [.text("1")])
        guard case .count(let plain) = try await ask(words) else { return true }
        switch try await ask(Self.prompt(noisyRows: 0)) {
        case .untold, .refused: return true
        case .failed:
            // Now as well: else it is the server that fails, and not over pictures.
            if case .count = try await ask(words) { return false }
            return true
        case .count(let flat):
            switch try await ask(Self.prompt(noisyRows: 2)) {
            case .count(let noisy): return flat > plain && flat == noisy
            // As text it may be longer than the context.
            case .refused, .failed: return false
            case .untold: return true
            }
        }
    }

    /// What a server makes of a prompt.
    private enum Outcome {
        /// Its tokens.
        case count(Int)
        /// An answer without their number.
        case untold
        /// It said no.
        case refused
        /// It failed over it.
        case failed
    }

    /// A picture of 64 × 64 pixels, grey below its first rows.
    private static func prompt(noisyRows: Int) throws -> EnginePrompt {
        let width = 64
        var pixels = [UInt8](repeating: 128, count: width * width * 3)
        for index in 0..<noisyRows * width * 3 {
            // Any multiplier that leaves no two neighbours alike.
            pixels[index] = UInt8(truncatingIfNeeded: (index &* 2_654_435_761) >> 16)
        }
        let image = EngineImage(
            digest: SHA256.digest("probe \(noisyRows)".utf8),
            image: try RGBImage(width: width, height: width, pixels: pixels)
        )
        return EnginePrompt(content: [.image(0), .text("1")], images: [image])
    }

    private func ask(_ prompt: EnginePrompt, prefill: String = "") async throws -> Outcome {
        let request = ChatRequest(
            model: model,
            prompt: prompt,
            prefill: prefill,
            maximumTokens: 1
        )
        do {
            let (document, _) = try await server.chat(
                request,
                uri: PictureCache(byteLimit: 0).uri
            )
            let count = document["usage"]?["prompt_tokens"]?.integer
            return count.map { .count(Int(clamping: $0)) } ?? .untold
        } catch is RemoteRefusal {
            return .refused
        } catch let fault as RemoteFault where fault.kind == .serverError {
            // Some servers fail over what they do not do.
            return .failed
        }
    }
}
