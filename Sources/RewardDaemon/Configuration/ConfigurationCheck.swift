import Foundation
import Glibc
import Inference
import MediaDecoding
import Postgres

/// What must hold before a daemon starts, beyond the form of each setting.
package enum ConfigurationCheck {
    /// Every reason why this daemon could not work: unusable models, missing decoders. Reads the
    /// headers of the checkpoints, loads no weights and asks no database.
    package static func problems(of configuration: DaemonConfiguration) -> [String] {
        var problems = ImageDecoder.missingPrograms().map { "media decoder: \($0)" }
        let common = engineOptions(configuration)
        for model in configuration.models {
            if model.directory == ScriptedEngineSetting.directory {
                if configuration.scriptedEngine == nil { problems.append(refusal(of: model)) }
                continue
            }
            var options = common
            options.precision = configuration.precisions[model.name] ?? common.precision
            do {
                _ = try EngineBlueprint(directory: model.directory, options: options)
            } catch {
                problems.append("model \"\(model.name)\": \(error)")
            }
        }
        problems += RemoteEngineSetting.problems(of: configuration.remoteEngines)
        if let training = configuration.training, access(training.directory, W_OK | X_OK) != 0 {
            problems.append(
                "training.directory: expected a directory this user can write to, got "
                    + "\"\(training.directory)\": \(String(cString: strerror(errno)))"
            )
        }
        return problems
    }

    /// What this daemon cannot do although it can work: without the programs that read videos, items with
    /// video files fail by name and everything else is judged.
    package static func warnings() -> [String] {
        VideoDecoder.missingPrograms().map {
            "video decoder: \($0) is not installed; items with video files will fail"
        }
    }

    /// Refuses a password on the command line, where every user of the machine can read it.
    package static func refusePassword(
        _ value: ConfigurationSource.Value?
    ) throws(ConfigurationError) {
        guard let value, hasPassword(value.text) else { return }
        throw ConfigurationError(
            value.origin,
            expected: "a URL without a password",
            got: "one with a password",
            remedy: "Put it in ~/.pgpass, PGPASSWORD, DATABASE_URL or the configuration file."
        )
    }

    /// A model without a checkpoint, where the environment does not allow it.
    private static func refusal(of model: DaemonConfiguration.Model) -> String {
        "model \"\(model.name)\": expected the directory of a checkpoint, got \"\(model.directory)\". "
            + "Answers without a model are for tests of the queue alone and need "
            + "\(ScriptedEngineSetting.environmentVariable) in the environment."
    }

    /// The engine settings that follow from the daemon's.
    static func engineOptions(_ configuration: DaemonConfiguration) -> EngineOptions {
        EngineOptions(
            threads: configuration.threads,
            contextLimit: configuration.contextLimit ?? Int.max,
            visionCacheBytes: configuration.visionCacheLimitBytes,
            keyValueBytes: configuration.keyValueCacheLimitBytes,
            convention: configuration.clipConvention,
            precision: configuration.precision
        )
    }

    /// True for `user:password@` in a URL, and for a `password` parameter in either form.
    private static func hasPassword(_ url: String) -> Bool {
        if url.lowercased().contains("password") { return true }
        guard let scheme = url.range(of: "://") else { return false }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        guard let at = authority.lastIndex(of: "@") else { return false }
        return authority[..<at].contains(":")
    }
}
