package import Hashing

/// Something that answers prompts: an ``Engine`` here, a scripted one in tests.
package protocol AnswerEngine: Sendable {
    /// Names the model's files.
    var modelDigest: Digest { get }
    /// Names everything else that decides the numbers: preprocessing, chat template, decoding.
    var identity: String { get }
    /// Where the model's files lie; nil for an engine that has none.
    var modelDirectory: String? { get }
    /// The repetition penalty that the model was published with, for prompt packs that ask for it.
    var repetitionPenalty: Double { get }

    /// Writes an answer.
    ///
    /// - Throws: ``InferenceError``.
    func generate(_ request: GenerateRequest) async throws -> GenerateResponse

    /// Weighs given answers against each other.
    ///
    /// - Throws: ``InferenceError``.
    func choose(_ request: ChooseRequest) async throws -> ChooseResponse
}

extension AnswerEngine {
    /// None, as of an engine that was not read from files.
    package var modelDirectory: String? { nil }
    /// None.
    package var repetitionPenalty: Double { 1 }
}
