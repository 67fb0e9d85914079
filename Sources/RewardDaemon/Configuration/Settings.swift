/// The merged raw settings, with the readers that turn text into numbers, sizes and durations.
struct Settings {
    private let layers: [ConfigurationSource]

    /// Layers, strongest first.
    init(layers: [ConfigurationSource]) {
        self.layers = layers
    }

    /// The strongest layer's value, else the default.
    subscript(key: ConfigurationKey) -> ConfigurationSource.Value {
        for layer in layers {
            if let value = layer.values[key] { return value }
        }
        return ConfigurationSource.Value(text: key.defaultValue, origin: "default")
    }

    /// A whole number in a range.
    func integer(
        _ key: ConfigurationKey,
        in range: ClosedRange<Int>
    ) throws(ConfigurationError) -> Int {
        try Self.integer(self[key].text, in: range, at: subject(key))
    }

    /// The whole number in a range that a text is; `subject` stands in messages.
    static func integer(
        _ text: String,
        in range: ClosedRange<Int>,
        at subject: String
    ) throws(ConfigurationError) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw ConfigurationError(
                subject,
                expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
                got: "\"\(text)\""
            )
        }
        return number
    }

    /// A size in bytes: a whole number, or one with KiB, MiB or GiB.
    func bytes(_ key: ConfigurationKey) throws(ConfigurationError) -> Int {
        let value = self[key]
        for (suffix, shift) in [("KiB", 10), ("MiB", 20), ("GiB", 30), ("", 0)]
        where value.text.hasSuffix(suffix) {
            let digits = value.text.dropLast(suffix.count)
            if let number = Int(digits), number >= 0, number <= Int.max >> (shift + 1) {
                return number << shift
            }
            break
        }
        throw ConfigurationError(
            subject(key, value),
            expected: "a size such as 67108864, 64MiB or 2GiB",
            got: "\"\(value.text)\""
        )
    }

    /// A duration: a number with ms, s or m.
    func duration(
        _ key: ConfigurationKey,
        upTo limit: Duration
    ) throws(ConfigurationError) -> Duration {
        try Self.duration(self[key].text, upTo: limit, at: subject(key))
    }

    /// The duration that a text is; `subject` stands in messages.
    static func duration(
        _ text: String,
        upTo limit: Duration,
        at subject: String
    ) throws(ConfigurationError) -> Duration {
        for (suffix, unit) in [("ms", 1), ("s", 1000), ("m", 60000)]
        where text.hasSuffix(suffix) {
            guard let number = Int(text.dropLast(suffix.count)), number > 0,
                number <= 86_400_000
            else { break }
            let duration = Duration.milliseconds(number * unit)
            if duration <= limit { return duration }
            break
        }
        throw ConfigurationError(
            subject,
            expected: "a duration such as 200ms, 30s or 5m, up to \(limit)",
            got: "\"\(text)\""
        )
    }

    /// How a message names a setting: by its key and, where it stands in a file, the line.
    func subject(_ key: ConfigurationKey) -> String { subject(key, self[key]) }

    private func subject(_ key: ConfigurationKey, _ value: ConfigurationSource.Value) -> String {
        if value.origin == "default" { return key.rawValue }
        // An option or an environment variable names its key; a line of a file does not.
        let isNamed = value.origin.hasPrefix("--") || value.origin.hasPrefix("REWARDD_")
        return isNamed ? value.origin : "\(value.origin): \(key.rawValue)"
    }
}
