import Foundation
import TensorKernels

/// One layer of settings: raw values by key, with the name of the place each came from.
package struct ConfigurationSource: Sendable {
    /// A raw value and where it stands, for messages such as `rewardd.conf:12`.
    package struct Value: Sendable, Equatable {
        package let text: String
        package let origin: String

        package init(text: String, origin: String) {
            self.text = text
            self.origin = origin
        }
    }

    /// The values this layer sets.
    package var values: [ConfigurationKey: Value]

    package init(values: [ConfigurationKey: Value] = [:]) {
        self.values = values
    }

    /// The layer of environment variables `REWARDD_…`.
    ///
    /// Throws `ConfigurationError` for a variable with that prefix that names no setting, because a
    /// misspelt variable would otherwise be ignored in silence.
    package static func environment(
        _ environment: [String: String]
    ) throws(ConfigurationError) -> ConfigurationSource {
        var source = ConfigurationSource()
        var known: [String: ConfigurationKey] = [:]
        for key in ConfigurationKey.allCases { known[key.environmentVariable] = key }
        for (name, text) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix("REWARDD_") && !reserved(name) {
            guard let key = known[name] else {
                throw ConfigurationError(
                    name,
                    expected: "the name of a setting",
                    got: "an unknown one",
                    remedy: "See 'rewardd run --help' for the list."
                )
            }
            source.values[key] = Value(text: text, origin: name)
        }
        return source
    }

    /// Variables with the same prefix that are not settings: test switches, where the file is, the
    /// kernels, which are chosen before anything is configured, and the permission to script answers.
    private static func reserved(_ name: String) -> Bool {
        name.hasPrefix("REWARDD_TEST_") || name == "REWARDD_CONFIG"
            || name == KernelSet.environmentVariable
            || name == ScriptedEngineSetting.environmentVariable
            || name == FailPointSetting.environmentVariable
    }

    /// Reads a configuration file: `key = value` lines, `#` comments, and `model.NAME = DIRECTORY`,
    /// `model.NAME.precision = PRECISION` and `engine.NAME.OPTION = VALUE` as more readable forms of one entry
    /// of `models`, `precisions` and `engines`.
    ///
    /// Throws `ConfigurationError` naming the file and line of anything else.
    package static func file(_ path: String) throws(ConfigurationError) -> ConfigurationSource {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError(
                "\(path)",
                expected: "a readable configuration file",
                got: "none",
                remedy: "Create it or leave out --config."
            )
        }
        guard data.count <= 1 << 20, let text = String(bytes: data, encoding: .utf8) else {
            throw ConfigurationError(
                "\(path)",
                expected: "at most 1 MiB of UTF-8 text",
                got: "\(data.count) bytes"
            )
        }
        return try parse(text, name: path)
    }

    /// Parses the text of a configuration file; `name` stands in messages.
    package static func parse(
        _ text: String,
        name: String
    ) throws(ConfigurationError) -> ConfigurationSource {
        var source = ConfigurationSource()
        var entries: [ConfigurationKey: (texts: [String], origin: String)] = [:]
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, rawLine) in lines.enumerated() {
            let origin = "\(name):\(index + 1)"
            let line = rawLine.trimmingCharacters(in: .whitespaces)
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let equals = line.firstIndex(of: "=") else {
                throw ConfigurationError(
                    origin,
                    expected: "'key = value' or a comment",
                    got: "\"\(line.prefix(60))\""
                )
            }
            let left = line[..<equals].trimmingCharacters(in: .whitespaces)
            let right = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
            if let (key, name) = listed(left) {
                guard key != .engines || !right.contains(",") else {
                    throw ConfigurationError(
                        "\(origin): \(left.prefix(60))",
                        expected: "a value without a comma",
                        got: "one with it"
                    )
                }
                entries[key, default: ([], origin)].texts.append("\(name)=\(right)")
                entries[key]?.origin = origin
                continue
            }
            guard let key = ConfigurationKey(rawValue: left) else {
                throw ConfigurationError(
                    origin,
                    expected: "a known key",
                    got: "\"\(left.prefix(60))\"",
                    remedy: "See 'rewardd run --help' for the list."
                )
            }
            if let earlier = source.values[key] {
                throw ConfigurationError(
                    origin,
                    expected: "each key once",
                    got: "\"\(key.rawValue)\" again after \(earlier.origin)"
                )
            }
            source.values[key] = Value(text: right, origin: origin)
        }
        for (key, entry) in entries {
            let listed = source.values[key].map { [$0.text] } ?? []
            source.values[key] = Value(
                text: (listed + entry.texts).joined(separator: ","),
                origin: entry.origin
            )
        }
        return source
    }

    /// The list that a line of a file is an entry of, and what the entry says about: nil for other lines.
    private static func listed(_ left: String) -> (key: ConfigurationKey, name: Substring)? {
        if left.hasPrefix("engine.") { return (.engines, left.dropFirst("engine.".count)) }
        guard left.hasPrefix("model.") else { return nil }
        let name = left.dropFirst("model.".count)
        guard name.hasSuffix(".precision") else { return (.models, name) }
        return (.precisions, name.dropLast(".precision".count))
    }
}
