import Inference

/// Where shards get the engine of their model from: the pool of loaded models, or, in tests of the
/// queue, ``ScriptedEngines`` before it.
protocol EngineSource: Sendable {
    /// The engine of a model. It stays loaded while the answer is held.
    ///
    /// - Throws: ``InferenceError``.
    func engine(named name: String) async throws -> any AnswerEngine
}

extension EnginePool: EngineSource {}
