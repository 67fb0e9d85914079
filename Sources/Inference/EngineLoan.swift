import Hashing

/// An engine lent by a pool: given back when the last reference goes.
final class EngineLoan: AnswerEngine {
    let engine: Engine
    private let giveBack: @Sendable () -> Void

    init(engine: Engine, giveBack: @escaping @Sendable () -> Void) {
        self.engine = engine
        self.giveBack = giveBack
    }

    deinit { giveBack() }

    var modelDigest: Digest { engine.modelDigest }
    var identity: String { engine.identity }
    var modelDirectory: String? { engine.modelDirectory }
    var repetitionPenalty: Double { engine.repetitionPenalty }

    func generate(_ request: GenerateRequest) async throws -> GenerateResponse {
        try await engine.generate(request)
    }

    func choose(_ request: ChooseRequest) async throws -> ChooseResponse {
        try await engine.choose(request)
    }
}
