import Hashing
import RewardModeling

extension AccuracyReport {
    /// A table for each task, and the goals that were missed.
    package var text: String {
        let head =
            "model \(directory), digest \(modelDigest.hex.prefix(16)), prompts \"\(pack)\", "
            + "seed \(plan.seed), \(plan.groups) groups and \(plan.lists) lists for each task, "
            + "\(Self.decimal(seconds, places: 1)) s"
        return ([head] + tasks.map(table) + [verdict]).joined(separator: "\n\n") + "\n"
    }

    private var verdict: String {
        if missed.isEmpty { return "All \(checks.count) goals are met." }
        let lines = missed.map { check in
            "  \(check.task.rawValue): \(check.measure.name): "
                + "\(Self.figure(check.measured, of: check.measure)), "
                + "goal \(Self.goal(check.bound, of: check.measure))"
        }
        return (["\(missed.count) of \(checks.count) goals are missed:"] + lines)
            .joined(separator: "\n")
    }

    // MARK: - One task

    private func table(_ task: TaskAccuracy) -> String {
        var lines = [row(task.task.rawValue, "measured", "95 %", "of", "goal", "")]
        for check in AccuracyGoals.checks(of: task) {
            let proportion = task.proportion(check.measure)
            lines.append(
                row(
                    check.measure.name,
                    Self.figure(check.measured, of: check.measure),
                    proportion?.interval.map(Self.range) ?? "",
                    "\(proportion?.count ?? task.points.count)",
                    Self.goal(check.bound, of: check.measure),
                    check.isMet ? "met" : "MISSED"
                )
            )
        }
        lines += [
            row("one presentation right", task.pairs.presentationsRight),
            row("shown first wins", task.pairs.shownFirst),
            row(
                "mean error of a score",
                task.points.meanAbsoluteError.map { Self.decimal($0, places: 2) } ?? "–",
                "",
                "\(task.points.count)"
            ),
            row(
                "generated score: correlation",
                task.generatedPoints.spearman.map { Self.decimal($0, places: 3) } ?? "–",
                "",
                "\(task.generatedPoints.count)"
            ),
            row("build_pairs gave a pair", task.lists.emitted),
        ]
        for (margin, right) in task.pairs.byMargin.sorted(by: { $0.key < $1.key }) {
            lines.append(row("pairs \(margin) grade\(margin == "1" ? "" : "s") apart", right))
        }
        for (grade, scores) in task.points.byGrade.sorted(by: { $0.key < $1.key }) {
            lines.append(
                row(
                    "mean score of grade \(grade)",
                    scores.mean.map { Self.decimal($0, places: 2) } ?? "–",
                    "",
                    "\(scores.count)"
                )
            )
        }
        for (reason, count) in task.lists.noPair.sorted(by: { $0.key < $1.key }) {
            lines.append(row("no pair: \(reason)", "\(count)", "", "\(task.lists.emitted.count)"))
        }
        for (code, failure) in task.failures.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(failure.count) failed with \(code): \(failure.message)")
        }
        return lines.joined(separator: "\n")
    }

    private func row(_ name: String, _ proportion: Proportion) -> String {
        row(
            name,
            proportion.share.map(Self.percent) ?? "–",
            proportion.interval.map(Self.range) ?? "",
            "\(proportion.count)"
        )
    }

    private func row(_ columns: String...) -> String {
        let widths = [36, 10, 16, 6, 11, 8]
        let cells = zip(columns, widths).enumerated().map { index, cell in
            let space = String(repeating: " ", count: max(1, cell.1 - cell.0.count))
            // Names and outcomes begin at one column, numbers end at one.
            return index == 0 ? cell.0 + space : index == 5 ? "  " + cell.0 : space + cell.0
        }
        let line = cells.joined()
        return String(line.prefix(line.count - line.reversed().prefix { $0 == " " }.count))
    }

    // MARK: - Numbers

    private static func figure(_ value: Double?, of measure: AccuracyMeasure) -> String {
        guard let value else { return "–" }
        return measure == .spearman ? decimal(value, places: 3) : percent(value)
    }

    private static func goal(_ bound: GoalBound, of measure: AccuracyMeasure) -> String {
        func text(_ limit: Double) -> String {
            measure == .spearman ? decimal(limit, places: 2) : percent(limit)
        }
        return switch bound {
        case .atLeast(let limit): "≥ \(text(limit))"
        case .below(let limit): "< \(text(limit))"
        case .atMost(let limit): "≤ \(text(limit))"
        }
    }

    private static func range(_ interval: ClosedRange<Double>) -> String {
        "\(decimal(interval.lowerBound * 100, places: 1))–"
            + decimal(interval.upperBound * 100, places: 1)
    }

    private static func percent(_ share: Double) -> String {
        "\(decimal(share * 100, places: 1)) %"
    }

    /// A number with so many digits after the point.
    static func decimal(_ value: Double, places: Int) -> String {
        guard value.isFinite else { return "\(value)" }
        let unit = (0..<places).reduce(1) { result, _ in result * 10 }
        let whole = Int((value * Double(unit)).rounded())
        let rest = "\(whole.magnitude % UInt(unit))"
        let zeros = String(repeating: "0", count: max(0, places - rest.count))
        return "\(whole < 0 ? "-" : "")\(whole.magnitude / UInt(unit)).\(zeros)\(rest)"
    }
}
