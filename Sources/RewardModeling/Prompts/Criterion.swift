/// One thing that a template has judged by itself, such as how well a picture fits its caption.
package struct Criterion: Sendable, Equatable {
    /// How results call it, such as `alignment`.
    package let name: String
    /// What the answer writes before the number, such as `Alignment Score (1-5)`; for answers that
    /// are lists of numbers, a heading for people.
    package let label: String

    /// A criterion from its parts.
    package init(name: String, label: String) {
        self.name = name
        self.label = label
    }

    /// The words of the label that parsers look for: in lower case, without remarks in brackets.
    var labelWords: [String] {
        let plain = label.prefix { $0 != "(" }
        return plain.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }
}

/// What one criterion came to in one judgement or result.
package struct CriterionReading: Sendable, Equatable {
    /// Its numbers.
    package enum Value: Sendable, Equatable {
        /// A candidate's.
        case one(Double)
        /// Two candidates'.
        case pair(first: Double, second: Double)

        /// The same with the two candidates' places exchanged.
        var swapped: Value {
            if case .pair(let first, let second) = self {
                return .pair(first: second, second: first)
            }
            return self
        }
    }

    /// How results call the criterion.
    package let name: String
    /// Within the scale.
    package let value: Value
    /// Where the numbers lie.
    package let scale: Scale

    /// A reading from its parts.
    package init(name: String, value: Value, scale: Scale) {
        self.name = name
        self.value = value
        self.scale = scale
    }

    /// The reading about the item's first and second candidate, given one about those presented.
    func inItemOrder(_ order: PresentationOrder?) -> CriterionReading {
        guard order == .secondFirst else { return self }
        return CriterionReading(name: name, value: value.swapped, scale: scale)
    }

    /// `{"name", "score", "scale"}`, or `{"name", "first", "second", "scale"}`.
    package var json: PayloadValue {
        var fields: [String: PayloadValue] = ["name": .string(name), "scale": scale.json]
        switch value {
        case .one(let score): fields["score"] = .number(score)
        case .pair(let first, let second):
            fields["first"] = .number(first)
            fields["second"] = .number(second)
        }
        return .object(fields)
    }

    /// Reads what `json` wrote; nil for anything else.
    package init?(_ json: PayloadValue) {
        guard case .object(let fields) = json, case .string(let name)? = fields["name"],
            case .array(let ends)? = fields["scale"], ends.count == 2,
            case .number(let minimum) = ends[0], case .number(let maximum) = ends[1],
            let scale = Scale(minimum: minimum, maximum: maximum)
        else { return nil }
        if case .number(let score)? = fields["score"], Score(score, on: scale) != nil {
            self.init(name: name, value: .one(score), scale: scale)
        } else if case .number(let first)? = fields["first"],
            case .number(let second)? = fields["second"], Score(first, on: scale) != nil,
            Score(second, on: scale) != nil
        {
            self.init(name: name, value: .pair(first: first, second: second), scale: scale)
        } else {
            return nil
        }
    }
}

/// What several criteria come to together.
enum CriteriaMean {
    /// The mean of the criteria's scores, all on one scale.
    static func score(_ readings: [CriterionReading]) -> Double? {
        var total = 0.0
        for reading in readings {
            guard case .one(let score) = reading.value else { return nil }
            total += score
        }
        return readings.isEmpty ? nil : total / Double(readings.count)
    }

    /// The means of the two candidates' scores, all on one scale.
    static func pair(_ readings: [CriterionReading]) -> (first: Double, second: Double)? {
        var total = (first: 0.0, second: 0.0)
        for reading in readings {
            guard case .pair(let first, let second) = reading.value else { return nil }
            total.first += first
            total.second += second
        }
        guard !readings.isEmpty else { return nil }
        let count = Double(readings.count)
        return (total.first / count, total.second / count)
    }

    /// The candidate with the higher mean. Two means that differ by less than a millionth of the scale
    /// are a tie: models print shares of one as single-precision numbers whose last digits are noise.
    static func verdict(_ readings: [CriterionReading]) -> Verdict {
        guard let (first, second) = pair(readings), let scale = readings.first?.scale else {
            return .unparsed
        }
        let difference = first - second
        if abs(difference) < (scale.maximum - scale.minimum) * 1e-6 { return .tie }
        return difference > 0 ? .first : .second
    }
}
