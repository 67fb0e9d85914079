package import FailPoints
import Foundation
package import Inference
package import Logging
package import RemoteInference
package import TensorKernels

/// The daemon's settings, typed and validated as a whole before anything starts.
package struct DaemonConfiguration: Sendable {
    /// A model that jobs may name, and the directory of its checkpoint.
    package struct Model: Sendable, Equatable {
        package let name: String
        package let directory: String
    }

    /// Where and how this daemon trains.
    package struct Training: Sendable, Equatable {
        /// The absolute directory under which trained models and unfinished work are kept.
        package let directory: String
        /// Compute threads of a training.
        package let threads: Int
        /// Bytes a training may take; nil for no limit of its own.
        package let memoryLimitBytes: Int?
    }

    /// Connection string; empty lets libpq read the PG* variables.
    package var databaseURL: String
    /// The models that this daemon computes; may be none where servers answer.
    package var models: [Model]
    /// The models that servers answer for.
    package var remoteEngines: [RemoteEngineOptions]
    /// Absolute directories under which media files may be read.
    package var mediaRoots: [String]
    package var queues: [String]
    /// Shards that run at once.
    package var slots: Int
    /// Items of a shard that are judged at a time.
    package var itemsAtOnce: Int
    /// Compute threads of an engine.
    package var threads: Int
    /// In what weights are held and multiplied.
    package var precision: WeightPrecision
    /// The same for models that have one of their own, by name.
    package var precisions: [String: WeightPrecision]
    /// Prompt and answer together, in tokens; nil means what the model allows.
    package var contextLimit: Int?
    package var memoryLimitBytes: Int
    package var visionCacheLimitBytes: Int
    package var keyValueCacheLimitBytes: Int
    /// How Qwen-VL models are shown clips.
    package var clipConvention: VideoConvention
    package var imagePixelsLimit: Int
    package var imageBytesLimit: Int
    package var pollInterval: Duration
    package var grace: Duration
    /// Nil where the daemon does not train.
    package var training: Training?
    package var logLevel: LogLevel
    /// Whether models named so are answered for without a model: nil but in tests of the queue.
    package var scriptedEngine: ScriptedEngineSetting?
    /// Edges at which this daemon dies or freezes: none but in tests of the queue.
    package var failPoints: [FailPoint: FailPoints.Trigger]
    /// Where each value came from, in the order of the keys: for `--check-config`.
    package var origins: [(key: ConfigurationKey, value: String, origin: String)]

    /// Merges layers, strongest first, and validates every value.
    ///
    /// Throws `ConfigurationError` naming the first setting that cannot be used.
    package init(
        layers: [ConfigurationSource],
        environment: [String: String],
        processorCount: Int,
        memoryBytes: Int
    ) throws(ConfigurationError) {
        let settings = Settings(layers: layers)
        let url = settings[.databaseURL].text
        databaseURL = url.isEmpty ? environment["DATABASE_URL"] ?? "" : url
        models = try Self.models(settings[.models])
        remoteEngines = try RemoteEngineSetting.engines(settings, models: models)
        guard !models.isEmpty || !remoteEngines.isEmpty else {
            throw ConfigurationError(
                ConfigurationKey.models.rawValue,
                expected: "at least one model",
                got: "none",
                remedy: "Give --models name=directory, or in the file model.NAME = DIRECTORY or "
                    + "engine.NAME.url = URL."
            )
        }
        mediaRoots = try Self.mediaRoots(settings[.mediaRoots])
        queues = try Self.names(settings[.queues])
        slots = try settings.integer(.slots, in: 1...256)
        itemsAtOnce = try settings.integer(.items, in: 1...256)
        let threadSetting = try settings.integer(.threads, in: 0...1024)
        threads = threadSetting == 0 ? max(1, processorCount) : threadSetting
        precision = try Self.precision(
            settings[.precision].text,
            at: settings.subject(.precision)
        )
        precisions = try Self.precisions(settings, of: models)
        let context = try settings.integer(.contextLimit, in: 0...1_048_576)
        contextLimit = context == 0 ? nil : context
        let memory = try settings.bytes(.memoryLimit)
        memoryLimitBytes = memory == 0 ? memoryBytes / 4 * 3 : memory
        visionCacheLimitBytes = try settings.bytes(.visionCacheLimit)
        keyValueCacheLimitBytes = try settings.bytes(.keyValueCacheLimit)
        let convention = settings[.clipConvention]
        guard let version = VideoConvention(rawValue: convention.text) else {
            throw ConfigurationError(
                convention.origin,
                expected: "transformers4 or transformers5",
                got: "\"\(convention.text)\""
            )
        }
        clipConvention = version
        imagePixelsLimit = try settings.integer(.imagePixelsLimit, in: 1...1_000_000_000)
        imageBytesLimit = try settings.bytes(.imageBytesLimit)
        pollInterval = try settings.duration(.pollInterval, upTo: .seconds(60))
        grace = try settings.duration(.grace, upTo: .seconds(86400))
        training = try Self.training(settings, threads: threads)
        let level = settings[.logLevel]
        guard let parsed = LogLevel(rawValue: level.text) else {
            throw ConfigurationError(
                level.origin,
                expected: "debug, info, notice, warning or error",
                got: "\"\(level.text)\""
            )
        }
        logLevel = parsed
        scriptedEngine = try ScriptedEngineSetting(environment: environment)
        failPoints = try FailPointSetting.triggers(environment: environment)
        origins = ConfigurationKey.allCases.map {
            (key: $0, value: settings[$0].text, origin: settings[$0].origin)
        }
    }

    private static func models(
        _ value: ConfigurationSource.Value
    ) throws(ConfigurationError) -> [Model] {
        var models: [Model] = []
        for entry in value.text.split(separator: ",") {
            let text = entry.trimmingCharacters(in: .whitespaces)
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex,
                text.index(after: equals) != text.endIndex
            else {
                throw ConfigurationError(
                    value.origin,
                    expected: "name=directory",
                    got: "\"\(text)\""
                )
            }
            let name = String(text[..<equals])
            if models.contains(where: { $0.name == name }) {
                throw ConfigurationError(
                    value.origin,
                    expected: "each model name once",
                    got: "\"\(name)\" twice"
                )
            }
            // What stands for training and for sampling from a model when work is claimed.
            for prefix in ["train/", "sample/"] where name.hasPrefix(prefix) {
                throw ConfigurationError(
                    value.origin,
                    expected: "a model name that does not start with \"\(prefix)\"",
                    got: "\"\(name)\""
                )
            }
            models.append(
                Model(name: name, directory: String(text[text.index(after: equals)...]))
            )
        }
        return models
    }

    private static func training(
        _ settings: Settings,
        threads: Int
    ) throws(ConfigurationError) -> Training? {
        let ownThreads = try settings.integer(.trainingThreads, in: 0...1024)
        let memory = try settings.bytes(.trainingMemoryLimit)
        let value = settings[.trainingDirectory]
        if value.text.isEmpty { return nil }
        guard isAbsoluteDirectory(value.text) else {
            throw ConfigurationError(
                value.origin,
                expected: "an existing absolute directory",
                got: "\"\(value.text)\""
            )
        }
        var path = value.text
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return Training(
            directory: path,
            threads: ownThreads == 0 ? threads : ownThreads,
            memoryLimitBytes: memory == 0 ? nil : memory
        )
    }

    private static func isAbsoluteDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return path.hasPrefix("/")
            && FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
            && isDirectory.boolValue
    }

    private static func mediaRoots(
        _ value: ConfigurationSource.Value
    ) throws(ConfigurationError) -> [String] {
        var roots: [String] = []
        for entry in value.text.split(separator: ":") {
            let path = String(entry)
            guard isAbsoluteDirectory(path) else {
                throw ConfigurationError(
                    value.origin,
                    expected: "existing absolute directories",
                    got: "\"\(path)\""
                )
            }
            roots.append(path)
        }
        return roots
    }

    private static func names(
        _ value: ConfigurationSource.Value
    ) throws(ConfigurationError) -> [String] {
        let names = value.text.split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        guard !names.isEmpty, !names.contains(where: \.isEmpty) else {
            throw ConfigurationError(
                value.origin,
                expected: "comma-separated names",
                got: "\"\(value.text)\""
            )
        }
        return names
    }
}
