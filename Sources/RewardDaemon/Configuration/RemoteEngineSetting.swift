import Foundation
import RemoteInference
import RewardModeling

/// Reads the setting `engines`: entries `NAME.OPTION=VALUE`, comma-separated, which a file writes as lines
/// `engine.NAME.OPTION = VALUE`.
enum RemoteEngineSetting {
    /// What may be said about an engine.
    private enum Option: String, CaseIterable {
        case url
        case servedModel = "served-model"
        case revision
        case concurrency
        case timeout
        case retries
        case apiKeyFile = "api-key-file"
        case authorityFile = "ca-file"
        case files
        case prefill
        case pictures
    }

    /// What an engine's entries say, by option.
    private typealias Values = [Option: String]

    /// The engines in the order in which they are first named.
    ///
    /// Throws `ConfigurationError` naming the entry that cannot be used.
    static func engines(
        _ settings: Settings,
        models: [DaemonConfiguration.Model]
    ) throws(ConfigurationError) -> [RemoteEngineOptions] {
        let subject = settings.subject(.engines)
        var names: [String] = []
        var entries: [String: Values] = [:]
        for entry in settings[.engines].text.split(separator: ",") {
            let (name, option, value) = try parts(String(entry), subject)
            if entries[name] == nil { names.append(name) }
            guard entries[name, default: [:]].updateValue(value, forKey: option) == nil else {
                throw ConfigurationError(
                    "\(subject): \(name).\(option.rawValue)",
                    expected: "each option once",
                    got: "it twice"
                )
            }
        }
        var engines: [RemoteEngineOptions] = []
        for name in names {
            guard !models.contains(where: { $0.name == name }) else {
                throw ConfigurationError(
                    "\(subject): \(name)",
                    expected: "a name that no model has",
                    got: "that of one with a directory",
                    remedy: "Give the engine or the model another name."
                )
            }
            engines.append(try engine(name, entries[name] ?? [:], subject))
        }
        return engines
    }

    private static func parts(
        _ entry: String,
        _ subject: String
    ) throws(ConfigurationError) -> (name: String, option: Option, value: String) {
        let text = entry.trimmingCharacters(in: .whitespaces)
        let known = Option.allCases.map(\.rawValue).joined(separator: ", ")
        guard let equals = text.firstIndex(of: "="),
            let dot = text[..<equals].lastIndex(of: "."), dot != text.startIndex
        else {
            // The value may be a secret that was put into the wrong place.
            throw ConfigurationError(
                subject,
                expected: "NAME.OPTION=VALUE without a comma in it",
                got: "\"\(text.prefix { $0 != "=" }.prefix(60))\""
            )
        }
        let name = String(text[..<dot])
        let word = text[text.index(after: dot)..<equals]
        guard let option = Option(rawValue: String(word)) else {
            throw ConfigurationError(
                "\(subject): \(name)",
                expected: "one of \(known)",
                got: "\"\(word.prefix(60))\"",
                remedy: word.contains("key") ? "Keys stand in a file that api-key-file names." : ""
            )
        }
        guard !name.hasPrefix("train/") else {
            throw ConfigurationError(
                subject,
                expected: "a model name that does not start with \"train/\"",
                got: "\"\(name)\""
            )
        }
        return (name, option, String(text[text.index(after: equals)...]))
    }

    private static func engine(
        _ name: String,
        _ values: Values,
        _ subject: String
    ) throws(ConfigurationError) -> RemoteEngineOptions {
        let subject = "\(subject): \(name)"
        func place(_ option: Option) -> String { "\(subject).\(option.rawValue)" }
        let url: ServerURL
        do throws(ServerURL.Problem) {
            url = try ServerURL(values[.url] ?? "")
        } catch {
            throw ConfigurationError(place(.url), expected: error.expected, got: error.got)
        }
        var engine = RemoteEngineOptions(name: name, url: url)
        for (option, value) in values where value.isEmpty {
            throw ConfigurationError(place(option), expected: "a value", got: "none")
        }
        engine.servedModel = values[.servedModel]
        engine.revision = values[.revision]
        if let text = values[.concurrency] {
            engine.concurrency = try Settings.integer(text, in: 1...256, at: place(.concurrency))
        }
        if let text = values[.retries] {
            engine.retries = try Settings.integer(text, in: 0...10, at: place(.retries))
        }
        if let text = values[.timeout] {
            engine.timeout = try Settings.duration(text, upTo: .seconds(3600), at: place(.timeout))
        }
        engine.apiKeyFile = try path(values[.apiKeyFile], place(.apiKeyFile))
        engine.authorityFile = try path(values[.authorityFile], place(.authorityFile))
        engine.files = try path(values[.files], place(.files))
        engine.prefill = try ability(values[.prefill], place(.prefill))
        engine.pictures = try ability(values[.pictures], place(.pictures))
        return engine
    }

    private static func ability(
        _ text: String?,
        _ place: String
    ) throws(ConfigurationError) -> RemoteEngineOptions.Ability {
        guard let text else { return .auto }
        guard let ability = RemoteEngineOptions.Ability(rawValue: text) else {
            throw ConfigurationError(
                place,
                expected: "auto, yes or no",
                got: "\"\(text.prefix(60))\""
            )
        }
        return ability
    }

    private static func path(
        _ text: String?,
        _ place: String
    ) throws(ConfigurationError) -> String? {
        guard let text else { return nil }
        // Not repeated: it may be the key itself.
        guard text.hasPrefix("/") else {
            throw ConfigurationError(place, expected: "an absolute path", got: "something else")
        }
        return text
    }

    /// Why a directory cannot stand beside a server's weights; nil when it can.
    private static func fileProblem(_ directory: String) -> String? {
        do throws(RewardModelingError) {
            if try PromptPack.read(directory: directory) != nil { return nil }
        } catch {
            return error.message
        }
        let config = "\(directory)/generation_config.json"
        return FileManager.default.isReadableFile(atPath: config)
            ? nil
            : "\(directory): expected a directory with prompt_pack.json or generation_config.json, "
                + "got neither. Copy them there."
    }

    /// Every reason why an engine could not be asked, beyond the form of its settings. Asks no server.
    static func problems(of engines: [RemoteEngineOptions]) -> [String] {
        guard !engines.isEmpty else { return [] }
        var problems = RemoteModel.canAsk ? [] : [RemoteModel.missingProgram]
        for engine in engines {
            let subject = "engine \"\(engine.name)\": "
            if let path = engine.apiKeyFile {
                do {
                    _ = try KeyFile(path: path).read()
                } catch {
                    problems.append(subject + "\(error)")
                }
            }
            if let path = engine.authorityFile,
                !FileManager.default.isReadableFile(atPath: path)
            {
                problems.append(
                    subject + "ca-file: \(path): expected a file that can be read, got none."
                )
            }
            if let problem = engine.files.flatMap(fileProblem) {
                problems.append(subject + "files: " + problem)
            }
        }
        return problems
    }
}
