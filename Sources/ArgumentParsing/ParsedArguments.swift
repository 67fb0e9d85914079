/// Where a value came from.
package enum ValueSource: Sendable, Equatable {
    case commandLine
    case environment(String)
    case defaultValue
}

/// The values of one command line, read by name.
///
/// Every value has passed its spec's format and list of values. Asking for a name that the command
/// does not declare is a mistake of the programmer and stops the program.
package struct ParsedArguments: Sendable {
    /// One value and where it came from.
    struct Value: Sendable, Equatable {
        let text: String
        let source: ValueSource
    }

    /// The words of the chosen command without the tool's name: `["queue", "pause"]`.
    package let command: [String]
    private let path: [CommandSpec]
    private let values: [String: [Value]]

    init(path: [CommandSpec], values: [String: [Value]]) {
        self.command = path.dropFirst().map(\.name)
        self.path = path
        self.values = values
    }

    /// The value of an option or argument, or nil when it has none.
    package func text(_ name: String) -> String? {
        values(of: name).last?.text
    }

    /// The value of a required option or argument, or of one with a default.
    ///
    /// - Throws: `ParsingError` when there is no value.
    package func requiredText(_ name: String) throws(ParsingError) -> String {
        if let text = text(name) { return text }
        throw error(.missingOption(spelling(of: name)))
    }

    /// All values of a repeatable option or argument, in order.
    package func texts(_ name: String) -> [String] {
        values(of: name).map(\.text)
    }

    /// Whether a flag was given, on the command line or by its variable.
    package func flag(_ name: String) -> Bool {
        values(of: name).last?.text == "true"
    }

    /// A whole number within `range`.
    ///
    /// - Throws: `ParsingError` naming the range and the text.
    package func int(
        _ name: String,
        in range: ClosedRange<Int> = .min ... .max
    ) throws(ParsingError) -> Int? {
        guard let text = text(name) else { return nil }
        if let value = Int(text), range.contains(value) { return value }
        throw invalid(name, ValueFormat.phrase(range))
    }

    /// A finite number within `range`.
    ///
    /// - Throws: `ParsingError` naming the range and the text.
    package func number(
        _ name: String,
        in range: ClosedRange<Double> = -.infinity ... .infinity
    ) throws(ParsingError) -> Double? {
        guard let text = text(name) else { return nil }
        if let value = Double(text), value.isFinite, range.contains(value) { return value }
        throw invalid(name, ValueFormat.phrase(range))
    }

    /// A duration such as `30s` or `5m`.
    ///
    /// - Throws: `ParsingError` when the text is not a duration.
    package func duration(_ name: String) throws(ParsingError) -> Duration? {
        guard let text = text(name) else { return nil }
        if let value = DurationText.parse(text) { return value }
        throw invalid(name, DurationText.expectation)
    }

    /// A case of an enumeration whose raw values are what the user types.
    ///
    /// - Throws: `ParsingError` listing the cases.
    package func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String,
        as type: Choice.Type = Choice.self
    ) throws(ParsingError) -> Choice? {
        guard let text = text(name) else { return nil }
        if let value = Choice(rawValue: text) { return value }
        throw error(
            .valueNotAmong(
                text,
                subject: spelling(of: name),
                values: Choice.allCases.map(\.rawValue)
            )
        )
    }

    /// Where the value of an option came from; nil when it has no value.
    package func source(of name: String) -> ValueSource? {
        values(of: name).last?.source
    }

    /// A usage error of the chosen command, for checks between several options.
    package func usageError(_ message: String) -> ParsingError {
        let usage = UsageText(path: path)
        return ParsingError(
            message: message,
            usage: usage.line(),
            helpCommand: usage.helpCommand
        )
    }

    /// A usage error about the value of one option or argument: "expected …".
    package func invalid(_ name: String, _ expectation: String) -> ParsingError {
        let value = values(of: name).last
        var subject = spelling(of: name)
        if case .environment(let variable) = value?.source { subject = variable }
        return error(
            .invalidValue(value?.text ?? "", subject: subject, expectation: expectation)
        )
    }

    private func error(_ complaint: ParsingComplaint) -> ParsingError {
        usageError(complaint.sentence)
    }

    private func values(of name: String) -> [Value] {
        precondition(declares(name), "no option or argument '\(name)' in \(command)")
        return values[name] ?? []
    }

    private func declares(_ name: String) -> Bool {
        path.contains { $0.options.contains { $0.name == name } }
            || path.last?.arguments.contains { $0.name == name } ?? false
    }

    private func spelling(of name: String) -> String {
        for command in path.reversed() {
            if let option = command.options.first(where: { $0.name == name }) {
                return option.spelling
            }
        }
        return "<\(name)>"
    }
}
