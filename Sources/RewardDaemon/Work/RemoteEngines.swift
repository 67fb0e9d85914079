import Inference
import Logging
import RemoteInference
import RewardModeling

/// Engines on servers for the models that the configuration gives to them, and another source for all others.
struct RemoteEngines: EngineSource {
    /// By the name that jobs use.
    private let models: [String: RemoteModel]
    private let others: any EngineSource

    /// Asks nobody yet. Throws `RemoteFault` where this machine cannot ask servers.
    init(
        _ options: [RemoteEngineOptions],
        others: any EngineSource,
        logger: Logger
    ) throws(RemoteFault) {
        var models: [String: RemoteModel] = [:]
        for options in options {
            models[options.name] = try RemoteModel(options: options, logger: logger)
        }
        self.models = models
        self.others = others
    }

    func engine(named name: String) async throws -> any AnswerEngine {
        guard let model = models[name] else { return try await others.engine(named: name) }
        return try await model.engine()
    }

    /// The models whose servers give no answers now: no work is claimed for them.
    var resting: Set<String> { Set(models.filter { !$0.value.takesWork }.keys) }

    /// The models that servers answer for, by name.
    var all: [RemoteModel] { models.sorted { $0.key < $1.key }.map(\.value) }
}

/// What a server refuses to answer fails the item that asks, like a file that cannot be read.
extension RemoteRefusal: CodedError {}
