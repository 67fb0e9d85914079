/// One option or flag of a command, as data: parsing, `--help` and errors all read it.
package struct OptionSpec: Sendable {
    /// The long name without dashes, such as `database-url`.
    package let name: String
    /// A one-letter form, such as `o` for `-o`.
    package let short: Character?
    /// The placeholder of the value, such as `url`; nil makes this a flag.
    package let valueName: String?
    /// One sentence for the help text. Default, values and variable are appended by the tool.
    package let summary: String
    /// The value when neither option nor variable is given.
    package let defaultValue: String?
    /// Text for "(default: …)" when the default is computed, such as `cores ÷ engines`.
    package let defaultText: String?
    /// The only values allowed; empty allows every value of `format`.
    package let values: [String]
    /// The rule for a value.
    package let format: ValueFormat?
    /// An environment variable read when the option is absent; an empty variable counts as unset.
    package let environment: String?
    /// Whether the option may be given more than once.
    package let isRepeatable: Bool
    /// Whether parsing fails without a value.
    package let isRequired: Bool

    /// Whether the option takes no value.
    package var isFlag: Bool { valueName == nil }

    /// An option that takes a value.
    package static func option(
        _ name: String,
        short: Character? = nil,
        value valueName: String,
        _ summary: String,
        default defaultValue: String? = nil,
        defaultText: String? = nil,
        values: [String] = [],
        format: ValueFormat? = nil,
        environment: String? = nil,
        repeatable: Bool = false,
        required: Bool = false
    ) -> OptionSpec {
        OptionSpec(
            name: name,
            short: short,
            valueName: valueName,
            summary: summary,
            defaultValue: defaultValue,
            defaultText: defaultText,
            values: values,
            format: format,
            environment: environment,
            isRepeatable: repeatable,
            isRequired: required
        )
    }

    /// A flag: present or absent.
    package static func flag(
        _ name: String,
        short: Character? = nil,
        _ summary: String,
        environment: String? = nil
    ) -> OptionSpec {
        OptionSpec(
            name: name,
            short: short,
            valueName: nil,
            summary: summary,
            defaultValue: nil,
            defaultText: nil,
            values: [],
            format: nil,
            environment: environment,
            isRepeatable: false,
            isRequired: false
        )
    }

    /// `--name <value>`, or `--name` for a flag: how usage and errors spell it.
    package var spelling: String {
        valueName.map { "--\(name) <\($0)>" } ?? "--\(name)"
    }

    /// The label of the help text: `-o, --output <format>`.
    package var label: String {
        short.map { "-\($0), \(spelling)" } ?? spelling
    }
}
