/// Range checks on configuration values, so that no later product of them can overflow and no
/// allocation can be absurd. `prefix` is where the values stand: `""` or `"text_config."`.
struct ConfigField {
    let prefix: String

    /// A whole number inside `range`; `value` nil takes the reference class's default.
    ///
    /// Read as a floating-point number because JSONDecoder calls a document with 1.5 or 2^63 where
    /// it wants an `Int` invalid JSON and does not say which key it was. No range reaches 2^53.
    func integer(
        _ key: String,
        _ value: Double?,
        absent: Int,
        in range: ClosedRange<Int>
    ) throws(CheckpointError) -> Int {
        let value = value ?? Double(absent)
        guard let whole = Int(exactly: value), range.contains(whole) else {
            throw .invalidField(
                file: ConfigFile.name,
                path: prefix + key,
                expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
                got: Int(exactly: value).map { "\($0)" } ?? "\(value)"
            )
        }
        return whole
    }

    /// A number inside `range`, narrowed to f32.
    func number(
        _ key: String,
        _ value: Double?,
        absent: Double,
        in range: ClosedRange<Double>
    ) throws(CheckpointError) -> Float {
        let value = value ?? absent
        guard range.contains(value) else {
            throw .invalidField(
                file: ConfigFile.name,
                path: prefix + key,
                expected: "a number from \(range.lowerBound) to \(range.upperBound)",
                got: "\(value)"
            )
        }
        return Float(value)
    }

    /// Refuses a declared behaviour other than the implemented ones; nil means the class default,
    /// which is implemented.
    func require(
        _ key: String,
        _ value: String?,
        isOneOf allowed: [String]
    ) throws(CheckpointError) {
        guard let value, !allowed.contains(value) else { return }
        throw .unsupported(
            file: ConfigFile.name,
            path: prefix + key,
            expected: allowed.map { "'\($0)'" }.joined(separator: " or "),
            got: "'\(shown(value))'"
        )
    }

    /// Refuses a flag that is set to anything but `allowed`.
    func require(_ key: String, _ value: Bool?, is allowed: Bool) throws(CheckpointError) {
        guard let value, value != allowed else { return }
        throw .unsupported(
            file: ConfigFile.name,
            path: prefix + key,
            expected: "\(allowed)",
            got: "\(value)"
        )
    }

    /// A sentence for a relation between two values that does not hold.
    func invalid(_ key: String, expected: String, got: String) -> CheckpointError {
        .invalidField(file: ConfigFile.name, path: prefix + key, expected: expected, got: got)
    }
}
