extension BenchmarkReport {
    /// What is printed: one table, and the sum in the last line.
    package var text: String {
        let header = ["", "median", "spread", "raw limit", "ratio", "goal", ""]
        let rows = [header] + measurements.map(Self.cells)
        let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var text = ""
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                let gap = String(repeating: " ", count: widths[column] - cell.count)
                let isFlushLeft = column == 0 || column == row.count - 1
                line += (column == 0 ? "" : "  ") + (isFlushLeft ? cell + gap : gap + cell)
            }
            while line.last == " " { line.removeLast() }
            text += line + "\n"
        }
        return text + "\n" + summary + "\n"
    }

    /// The last line.
    package var summary: String {
        let disk = waitsForDisk ? "commits wait for the disk" : "commits do not wait for the disk"
        let load = loads.map(Self.short).joined(separator: " to ")
        var text =
            "PostgreSQL \(server), \(processors) processors, \(disk), \(repeats) repeats, load \(load), "
            + "\(Int(seconds)) s: "
        if isInterrupted { return text + "interrupted" }
        let names = misses.map { measurement in
            measurement.verdict == .outOfReach
                ? "\(measurement.name) (out of reach here)" : measurement.name
        }
        text += names.isEmpty ? "every goal met" : "missed " + names.joined(separator: ", ")
        return text
    }

    private static func cells(_ measurement: Measurement) -> [String] {
        let unit = measurement.unit
        func cell(_ value: Double?) -> String {
            value.map { "\(short($0)) \(unit.rawValue)" } ?? ""
        }
        let least = measurement.values.min() ?? 0
        let most = measurement.values.max() ?? 0
        let goal = measurement.goal.map {
            "\(unit.isRate ? "≥" : "<") \(short($0)) \(unit.rawValue)"
        }
        return [
            measurement.title,
            cell(measurement.median),
            "\(short(least))–\(short(most))",
            cell(measurement.rawMedian),
            measurement.ratio.map { "\(short($0))×" } ?? "",
            goal ?? "",
            measurement.verdict?.rawValue ?? "",
        ]
    }

    /// A number with three digits that say something.
    static func short(_ value: Double) -> String {
        if value >= 100 {
            let digits = Array(String(Int(value.rounded())))
            var text = ""
            for (place, digit) in digits.enumerated() {
                if place > 0, (digits.count - place) % 3 == 0 { text += " " }
                text.append(digit)
            }
            return text
        }
        let scale = value >= 10 ? 10.0 : 100.0
        return String((value * scale).rounded() / scale)
    }
}
