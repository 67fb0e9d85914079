import JSONReading

extension BenchmarkReport {
    /// One JSON document.
    package var json: String {
        JSONNode.object([
            "processors": .int(Int64(processors)),
            "server": .string(server),
            "waits_for_disk": .bool(waitsForDisk),
            "loads": .array(loads.map(Self.number)),
            "rows": .int(Int64(rows)),
            "repeats": .int(Int64(repeats)),
            "seconds": Self.number(seconds),
            "interrupted": .bool(isInterrupted),
            "goals_met": .bool(misses.isEmpty),
            "measurements": .array(measurements.map(Self.node)),
        ]).json
    }

    private static func node(_ measurement: Measurement) -> JSONNode {
        .object([
            "name": .string(measurement.name),
            "title": .string(measurement.title),
            "unit": .string(measurement.unit.rawValue),
            "median": number(measurement.median),
            "values": .array(measurement.values.map(number)),
            "raw": measurement.raw.map { .string($0.title) } ?? .null,
            "raw_median": optional(measurement.rawMedian),
            "raw_values": .array((measurement.raw?.values ?? []).map(number)),
            "ratio": optional(measurement.ratio),
            "goal": optional(measurement.goal),
            "verdict": .optional(measurement.verdict?.rawValue),
        ])
    }

    private static func optional(_ value: Double?) -> JSONNode { value.map(number) ?? .null }

    /// Rounded to a thousandth, which is a microsecond where it is milliseconds.
    private static func number(_ value: Double) -> JSONNode {
        .number(String((value * 1000).rounded() / 1000))
    }
}
