import JSONReading
import QueueBenchmark
import Testing

@Suite("The report of a benchmark")
struct BenchmarkReportTests {
    private static let met = Measurement(
        "a.rate",
        "something a second",
        .perSecond,
        [4000, 6000, 5000],
        raw: .init("plain", [10_000, 20_000, 9000]),
        goal: 5000
    )

    @Test("quantiles are values of the sample, by the nearest rank")
    func quantiles() {
        let hundred = Quantiles((1...100).map(Double.init).shuffled())
        #expect(hundred.median == 50)
        #expect(hundred.p99 == 99)
        #expect(Quantiles([3]).p99 == 3)
        #expect(Quantiles([1, 2]).quantile(0) == 1)
        #expect(Quantiles([2, 1, 3]).median == 2)
    }

    @Test("a rate must reach its goal and a latency stay below it")
    func verdicts() {
        #expect(Self.met.verdict == .met)
        #expect(Self.met.ratio == 0.5)
        func rate(_ value: Double, raw: Double?) -> Measurement.Verdict? {
            Measurement(
                "r",
                "r",
                .perSecond,
                [value],
                raw: raw.map { .init("plain", [$0]) },
                goal: 100
            ).verdict
        }
        #expect(rate(99, raw: 1000) == .missed)
        #expect(rate(99, raw: nil) == .missed)
        #expect(rate(99, raw: 99.5) == .outOfReach)
        #expect(rate(100, raw: 50) == .met)
        func latency(_ value: Double, raw: Double) -> Measurement.Verdict? {
            Measurement("l", "l", .milliseconds, [value], raw: .init("plain", [raw]), goal: 5)
                .verdict
        }
        #expect(latency(4.9, raw: 9) == .met)
        #expect(latency(5, raw: 1) == .missed)
        #expect(latency(6, raw: 5) == .outOfReach)
        #expect(Measurement("n", "n", .seconds, [1]).verdict == nil)
    }

    @Test("shows figures, limits and goals in one table, and what was missed in the last line")
    func text() {
        var report = BenchmarkReport()
        report.server = "15.1"
        report.processors = 2
        report.repeats = 3
        report.loads = [0.5, 12]
        report.seconds = 61
        report.measurements = [
            Self.met,
            Measurement("b", "a latency", .milliseconds, [7.123, 9], goal: 5),
        ]
        let lines = report.text.split(separator: "\n").map(String.init)
        #expect(
            lines == [
                "                      median       spread  raw limit  ratio        goal",
                "something a second  5 000 /s  4 000–6 000  10 000 /s   0.5×  ≥ 5 000 /s  met",
                "a latency            7.12 ms     7.12–9.0                      < 5.0 ms  missed",
                "PostgreSQL 15.1, 2 processors, commits wait for the disk, 3 repeats, "
                    + "load 0.5 to 12.0, 61 s: missed b",
            ]
        )
        report.measurements.removeLast()
        #expect(report.text.hasSuffix(": every goal met\n"))
        report.isInterrupted = true
        #expect(report.text.hasSuffix(": interrupted\n"))
    }

    @Test("says the same as one JSON document")
    func json() throws {
        var report = BenchmarkReport()
        report.measurements = [
            Self.met,
            Measurement("b", "b", .milliseconds, [7], raw: .init("plain", [6]), goal: 5),
        ]
        let document = try #require(JSONReader.read(report.json))
        #expect(document["goals_met"] == .bool(false))
        guard case .array(let measurements) = document["measurements"] else {
            Issue.record("no measurements")
            return
        }
        #expect(measurements.count == 2)
        #expect(measurements[0]["name"]?.text == "a.rate")
        #expect(measurements[0]["median"]?.double == 5000)
        #expect(measurements[0]["raw_median"]?.double == 10_000)
        #expect(measurements[0]["ratio"]?.double == 0.5)
        #expect(measurements[0]["verdict"]?.text == "met")
        #expect(measurements[1]["verdict"]?.text == "out of reach")
    }
}
