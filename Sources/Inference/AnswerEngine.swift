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

    /// Whether what it answered one job may stand for what another job asks: it may where the digest names the
    /// weights. Within a job it always does, so that a killed daemon's work is not repeated.
    var answersAreShared: Bool { get }

    /// Writes an answer.
    ///
    /// - Throws: ``InferenceError``, and what a remote engine has of its own.
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

    /// They are, as of an engine whose digest is that of its files.
    package var answersAreShared: Bool { true }
}
