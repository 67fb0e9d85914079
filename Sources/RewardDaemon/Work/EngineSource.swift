import Inference

/// Where shards get the engine of their model from: the pool of loaded models, ``RemoteEngines`` before it
/// where servers answer for some, or, in tests of the queue, ``ScriptedEngines``.
protocol EngineSource: Sendable {
    /// The engine of a model. It stays loaded while the answer is held.
    ///
    /// - Throws: ``InferenceError``, and ``RemoteFault`` of a server.
    func engine(named name: String) async throws -> any AnswerEngine
}

extension EnginePool: EngineSource {}
