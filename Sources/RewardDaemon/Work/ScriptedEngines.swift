import Inference
import Logging

/// Scripted answers for the models whose directory says so, and the pool for all others.
///
/// Made only where `REWARDD_SCRIPTED_ENGINE` is set; see ``ScriptedEngineSetting``.
struct ScriptedEngines: EngineSource {
    private let engine: ScriptedAnswers
    private let names: Set<String>
    private let pool: any EngineSource

    /// Takes the place of the pool for `models` that are scripted, and says so in the log, loudly.
    init(
        _ setting: ScriptedEngineSetting,
        models: [DaemonConfiguration.Model],
        pool: any EngineSource,
        logger: Logger
    ) {
        engine = ScriptedAnswers(delay: setting.delay, journal: setting.journal)
        names = Set(
            models.filter { $0.directory == ScriptedEngineSetting.directory }.map(\.name)
        )
        self.pool = pool
        logger.warning(
            "SCRIPTED ENGINE: answers of these models are made up, no model is asked",
            [
                "models": LogValue(names.sorted().joined(separator: ",")),
                "variable": LogValue(ScriptedEngineSetting.environmentVariable),
            ]
        )
    }

    func engine(named name: String) async throws -> any AnswerEngine {
        guard names.contains(name) else { return try await pool.engine(named: name) }
        return engine
    }
}
