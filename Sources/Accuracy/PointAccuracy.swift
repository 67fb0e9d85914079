/// What was seen of `point_score` items in one answer mode.
package struct PointAccuracy: Sendable, Equatable {
    /// Scores of one true grade, on 1…5.
    package struct Grade: Sendable, Equatable {
        /// How many.
        package fileprivate(set) var count = 0
        fileprivate var sum = 0.0

        /// Their mean; nil when there are none.
        package var mean: Double? { count > 0 ? sum / Double(count) : nil }
    }

    /// True grades, in the order of the cases.
    private var grades: [Double] = []
    /// Scores brought to 1…5, in the same order.
    private var scores: [Double] = []
    private var compositions: [String] = []

    /// Takes the score of one case.
    mutating func note(_ score: Double, of test: PointCase) {
        grades.append(Double(test.grade))
        scores.append(score)
        compositions.append(test.labels.composition)
    }

    /// How many scores there are.
    package var count: Int { scores.count }

    /// How well the scores' order follows that of the true grades.
    package var spearman: Double? { RankCorrelation.spearman(scores, grades) }

    /// The mean distance of a score from the true grade, in grades; nil without scores.
    package var meanAbsoluteError: Double? { Self.mean(zip(scores, grades).map { abs($0 - $1) }) }

    /// The scores of each true grade, 1…5.
    package var byGrade: [String: Grade] {
        var found: [String: Grade] = [:]
        for (score, grade) in zip(scores, grades) {
            found["\(Int(grade))", default: Grade()].count += 1
            found["\(Int(grade))", default: Grade()].sum += score
        }
        return found
    }

    /// The mean absolute error by how the scene is put together.
    package var errorByComposition: [String: Double] {
        var errors: [String: [Double]] = [:]
        for (index, composition) in compositions.enumerated() {
            errors[composition, default: []].append(abs(scores[index] - grades[index]))
        }
        return errors.compactMapValues(Self.mean)
    }

    private static func mean(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
}
