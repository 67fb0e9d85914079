import Glibc
import Hashing
import Inference
import Tokenization

/// An engine without a model: its answers follow from a hash of the question alone, after a delay.
///
/// For tests of the queue, where a model would be the load. Its digest is of no checkpoint, so what it
/// answers is never taken for a judgement of a model, nor the other way round. It reads no media
/// beyond their digests and writes no text: only questions with given answers are answered.
final class ScriptedAnswers: AnswerEngine {
    let modelDigest = SHA256.digest("rewardd scripted answers 1".utf8)
    let identity = "scripted 1"
    private let delay: Duration
    /// Appended to; -1 for none. Open as long as the process lives.
    private let journal: Int32

    /// - Parameter journal: A file to which every answer adds 16 hexadecimal digits and a newline, equal
    ///   for equal questions.
    init(delay: Duration, journal: String?) {
        self.delay = delay
        self.journal =
            journal.map { open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) } ?? -1
    }

    deinit { if journal >= 0 { close(journal) } }

    func choose(_ request: ChooseRequest) async throws -> ChooseResponse {
        let start = ContinuousClock.now
        do {
            if delay > .zero { try await Task.sleep(for: delay) }
            try Task.checkCancellation()
        } catch {
            throw InferenceError.cancelled
        }
        let question = Self.digest(of: request)
        var weights: [Double] = []
        for index in request.choices.indices {
            weights.append(1 + Double(question.bytes[8 + index % 24]))
        }
        let sum = weights.reduce(0, +)
        note(question)
        return ChooseResponse(
            probabilities: weights.map { $0 / sum },
            promptTokens: request.prompt.content.count,
            seconds: start.duration(to: .now) / .seconds(1)
        )
    }

    func generate(_ request: GenerateRequest) async throws -> GenerateResponse {
        throw InferenceError.invalidRequest(
            "scripted engine: expected a question with given answers, got one for free text. "
                + "Leave out the option answer, or say \"choices\"."
        )
    }

    /// Names everything a question consists of.
    private static func digest(of request: ChooseRequest) -> Digest {
        var hash = SHA256()
        hash.update(field: "question 1".utf8)
        for part in request.prompt.content {
            switch part {
            case .text(let text): hash.update(field: text.utf8)
            case .image(let index): hash.update(field: request.prompt.images[index].digest.bytes)
            case .video(let index): hash.update(field: request.prompt.clips[index].digest.bytes)
            }
        }
        hash.update(field: request.answerPrefix.utf8)
        for choice in request.choices { hash.update(field: choice.utf8) }
        return hash.digest()
    }

    /// One write of one short line, which the kernel does not mix with others'.
    private func note(_ question: Digest) {
        guard journal >= 0 else { return }
        let line = Array((question.hex.prefix(16) + "\n").utf8)
        _ = line.withUnsafeBytes { write(journal, $0.baseAddress, $0.count) }
    }
}
