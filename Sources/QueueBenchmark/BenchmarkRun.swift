import FoundationEssentials
import Postgres
import Staging

/// One run: the parts one after the other, so that none disturbs another.
package struct BenchmarkRun {
    /// Measures what the plan says and takes everything away again.
    ///
    /// - Parameters:
    ///   - daemonProgram: The path of `rewardd`.
    ///   - progress: Hears at every step how far the run is.
    package static func play(
        _ plan: BenchmarkPlan,
        daemonProgram: String,
        progress: @escaping (BenchmarkProgress) -> Void
    ) async throws -> BenchmarkReport {
        let start = ContinuousClock.now
        progress(BenchmarkProgress(done: 0, total: 1, note: "starting a server"))
        let stage = try BenchmarkStage(plan, daemonProgram: daemonProgram)
        defer { stage.clear() }
        var report = BenchmarkReport()
        report.processors = ProcessInfo.processInfo.activeProcessorCount
        report.server = try stage.serverVersion()
        report.waitsForDisk = plan.waitsForDisk
        report.rows = plan.rows
        report.repeats = plan.repeats
        report.loads = load()
        let parts = BenchmarkPart.allCases.filter(plan.parts.contains)
        let steps = BenchmarkSteps(
            parts.map { $0.steps(plan) }.reduce(0, +),
            show: progress
        )
        do {
            for part in parts {
                report.measurements += try await part.measure(stage, plan, steps)
            }
        } catch is BenchmarkSteps.Interrupted {
            report.isInterrupted = true
        }
        report.loads += load()
        report.seconds = start.duration(to: .now) / .seconds(1)
        return report
    }

    /// The load of the last minute.
    private static func load() -> [Double] {
        let text = try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)
        return text?.split(separator: " ").first.flatMap { Double($0) }.map { [$0] } ?? []
    }
}

extension BenchmarkPart {
    /// How many steps the part has.
    fileprivate func steps(_ plan: BenchmarkPlan) -> Int {
        switch self {
        case .enqueue: EnqueueBenchmark.steps(plan)
        case .checkpoint: CheckpointBenchmark.steps(plan)
        case .start: StartBenchmark.steps(plan)
        case .claim: ClaimBenchmark.steps(plan)
        case .rescue: RescueBenchmark.steps(plan)
        }
    }

    fileprivate func measure(
        _ stage: BenchmarkStage,
        _ plan: BenchmarkPlan,
        _ steps: BenchmarkSteps
    ) async throws -> [Measurement] {
        switch self {
        case .enqueue: try EnqueueBenchmark(stage, plan, steps).measure()
        case .checkpoint: try CheckpointBenchmark(stage, plan, steps).measure()
        case .start: try StartBenchmark(stage, plan, steps).measure()
        case .claim: try await ClaimBenchmark(stage, plan, steps).measure()
        case .rescue: try RescueBenchmark(stage, plan, steps).measure()
        }
    }
}
