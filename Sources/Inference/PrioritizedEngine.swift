package import Hashing

/// An engine as one job sees it: whatever is asked through it has the job's priority, so that where several jobs share a
/// model, the questions of the highest run first.
package struct PrioritizedEngine: AnswerEngine {
    private let engine: any AnswerEngine
    private let priority: Int

    /// - Parameter priority: The highest runs first; 0 is usual.
    package init(_ engine: any AnswerEngine, priority: Int) {
        self.engine = engine
        self.priority = priority
    }

    package var modelDigest: Digest { engine.modelDigest }
    package var identity: String { engine.identity }
    package var modelDirectory: String? { engine.modelDirectory }
    package var repetitionPenalty: Double { engine.repetitionPenalty }
    package var answersAreShared: Bool { engine.answersAreShared }

    package func generate(_ request: GenerateRequest) async throws -> GenerateResponse {
        var request = request
        request.priority = priority
        return try await engine.generate(request)
    }

    package func choose(_ request: ChooseRequest) async throws -> ChooseResponse {
        var request = request
        request.priority = priority
        return try await engine.choose(request)
    }
}
