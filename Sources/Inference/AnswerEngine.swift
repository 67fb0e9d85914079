package import Hashing

/// Something that answers prompts: an ``Engine`` here, a scripted one in tests.
package protocol AnswerEngine: Sendable {
    /// Names the model's files.
    var modelDigest: Digest { get }
    /// Names everything else that decides the numbers: preprocessing, chat template, decoding.
    var identity: String { get }

    /// Writes an answer.
    ///
    /// - Throws: ``InferenceError``.
    func generate(_ request: GenerateRequest) async throws -> GenerateResponse

    /// Weighs given answers against each other.
    ///
    /// - Throws: ``InferenceError``.
    func choose(_ request: ChooseRequest) async throws -> ChooseResponse
}
