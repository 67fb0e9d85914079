import Foundation
import TensorKernels

extension DaemonConfiguration {
    /// The precision of that name.
    static func precision(
        _ text: String,
        at subject: String
    ) throws(ConfigurationError) -> WeightPrecision {
        guard let precision = WeightPrecision(rawValue: text) else {
            throw ConfigurationError(
                subject,
                expected: WeightPrecision.allCases.map(\.rawValue).joined(separator: ", "),
                got: "\"\(text)\""
            )
        }
        return precision
    }

    /// The precisions of single models. A name that is not configured is taken for a misspelt one where this
    /// daemon does not train; where it does, the model may still come.
    static func precisions(
        _ settings: Settings,
        of models: [Model]
    ) throws(ConfigurationError) -> [String: WeightPrecision] {
        var precisions: [String: WeightPrecision] = [:]
        let subject = settings.subject(.precisions)
        for entry in settings[.precisions].text.split(separator: ",") {
            let text = entry.trimmingCharacters(in: .whitespaces)
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw ConfigurationError(subject, expected: "name=precision", got: "\"\(text)\"")
            }
            let name = String(text[..<equals])
            let value = String(text[text.index(after: equals)...])
            let precision = try precision(value, at: "\(subject): \(name)")
            guard precisions.updateValue(precision, forKey: name) == nil else {
                throw ConfigurationError(
                    subject,
                    expected: "each model name once",
                    got: "\"\(name)\" twice"
                )
            }
            guard
                models.contains(where: { $0.name == name })
                    || !settings[.trainingDirectory].text.isEmpty
            else {
                throw ConfigurationError(
                    subject,
                    expected: "the name of a configured model",
                    got: "\"\(name)\""
                )
            }
        }
        return precisions
    }
}
