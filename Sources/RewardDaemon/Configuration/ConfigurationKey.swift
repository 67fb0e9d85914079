/// Every setting of the daemon, listed once: parsing, `--help`, the example file and the check that
/// the example file is complete all read this list.
///
/// Precedence: option, then environment variable, then configuration file, then default.
package enum ConfigurationKey: String, CaseIterable, Sendable {
    case databaseURL = "database.url"
    case models = "models"
    case engines = "engines"
    case mediaRoots = "media.roots"
    case queues = "queues"
    case slots = "slots"
    case items = "items"
    case threads = "threads"
    case precision = "precision"
    case precisions = "precisions"
    case contextLimit = "context.limit"
    case memoryLimit = "memory.limit"
    case visionCacheLimit = "vision-cache.limit"
    case keyValueCacheLimit = "kv-cache.limit"
    case clipConvention = "clip.convention"
    case imagePixelsLimit = "image.pixels-limit"
    case imageBytesLimit = "image.bytes-limit"
    case pollInterval = "poll.interval"
    case grace = "grace"
    case trainingDirectory = "training.directory"
    case trainingThreads = "training.threads"
    case trainingMemoryLimit = "training.memory-limit"
    case logLevel = "log.level"

    /// The name of the environment variable: `REWARDD_` and the key in upper case.
    package var environmentVariable: String {
        var name = "REWARDD_"
        for character in rawValue {
            name += character == "." || character == "-" ? "_" : character.uppercased()
        }
        return name
    }

    /// The long option of `rewardd run`, without the dashes.
    package var option: String {
        String(rawValue.map { $0 == "." ? "-" : $0 })
    }

    /// The value when nobody sets one, as it would be written in the file.
    package var defaultValue: String {
        switch self {
        case .databaseURL: ""
        case .models: ""
        case .engines: ""
        case .mediaRoots: ""
        case .queues: "default"
        case .slots: "2"
        case .items: "4"
        case .threads: "0"
        case .precision: "stored"
        case .precisions: ""
        case .contextLimit: "0"
        case .memoryLimit: "0"
        case .visionCacheLimit: "256MiB"
        case .keyValueCacheLimit: "512MiB"
        case .clipConvention: "transformers4"
        case .imagePixelsLimit: "50000000"
        case .imageBytesLimit: "64MiB"
        case .pollInterval: "1s"
        case .grace: "30s"
        case .trainingDirectory: ""
        case .trainingThreads: "0"
        case .trainingMemoryLimit: "0"
        case .logLevel: "info"
        }
    }

    /// What stands for the value in help texts.
    package var valueName: String {
        switch self {
        case .databaseURL: "url"
        case .models: "name=directory"
        case .engines: "name.option=value"
        case .mediaRoots: "directories"
        case .queues: "names"
        case .slots, .items, .threads, .trainingThreads: "n"
        case .precision: "precision"
        case .precisions: "name=precision"
        case .contextLimit: "tokens"
        case .memoryLimit, .visionCacheLimit, .keyValueCacheLimit, .imageBytesLimit,
            .trainingMemoryLimit:
            "bytes"
        case .clipConvention: "version"
        case .imagePixelsLimit: "pixels"
        case .pollInterval, .grace: "duration"
        case .trainingDirectory: "directory"
        case .logLevel: "level"
        }
    }

    /// One or two sentences for `--help` and the example file.
    package var sentence: String {
        switch self {
        case .databaseURL:
            "Where the queue lives, as postgresql://…; empty means DATABASE_URL, else PG*."
        case .models:
            "Models to offer, comma-separated: the name that jobs use and the checkpoint directory."
        case .engines:
            "Models that OpenAI-compatible servers answer for, comma-separated: name.url=http://…/v1 and more."
        case .mediaRoots:
            "Directories, colon-separated, under which jobs may name media files; none by default."
        case .queues: "Queues to work, comma-separated."
        case .slots: "Shards at once; one more than the models hides loading of media."
        case .items: "Items of a shard judged at once; more fill the passes of the engine better."
        case .threads: "Compute threads of an engine; 0 means every core the process may use."
        case .precision:
            "How weights are held and multiplied: stored, f32, bf16, int8 or int4."
        case .precisions: "Models, comma-separated, that have a precision of their own."
        case .contextLimit: "Longest prompt and answer in tokens; 0 means what the model allows."
        case .memoryLimit: "Budget for models in memory; 0 means three quarters of the machine's."
        case .visionCacheLimit: "Budget for encoded images that are kept for later judgements."
        case .keyValueCacheLimit:
            "Budget for the keys and values of a model; one full prompt is provided for in any case."
        case .clipConvention:
            "How Qwen-VL models are shown clips: transformers4, as they were trained, or transformers5."
        case .imagePixelsLimit: "Largest image or video frame that is decoded, in pixels."
        case .imageBytesLimit: "Largest media file that is read."
        case .pollInterval: "Longest wait before looking for work when no notification comes."
        case .grace: "On SIGTERM, time for what is being judged to end before it is given back."
        case .trainingDirectory:
            "Where trained models are kept, each under its name; empty means no training here."
        case .trainingThreads: "Compute threads of a training; 0 means as many as of an engine."
        case .trainingMemoryLimit: "Budget for a training in memory; 0 means none of its own."
        case .logLevel: "Least level that is logged: debug, info, notice, warning or error."
        }
    }
}
