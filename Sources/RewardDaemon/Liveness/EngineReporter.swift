import Foundation
import Jobs
import Logging
import RemoteInference
import RewardModeling

/// Tells the database how the servers do that this daemon asks, and asks those that nobody has asked lately.
struct EngineReporter: Sendable {
    /// How often it is looked whether there is something to tell.
    private static let period: Duration = .seconds(2)
    /// After so long it is told although nothing changed.
    private static let longestSilence: Duration = .seconds(30)

    let models: [RemoteModel]
    let queue: JobQueue
    let lease: LeaseClock
    let logger: Logger

    /// Looks and tells until the task is cancelled. Failures are logged and tried again.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for model in models {
                // Each by itself: one that does not answer keeps nobody from being told of the others.
                group.addTask {
                    while !Task.isCancelled {
                        await model.probe()
                        try? await Task.sleep(for: Self.period)
                    }
                }
            }
            group.addTask { await tell() }
        }
    }

    private func tell() async {
        var last: (daemonID: Int64, json: String, at: ContinuousClock.Instant)?
        while !Task.isCancelled {
            if let daemonID = lease.daemonID {
                let json = await report()
                let isKnown =
                    last.map {
                        $0.daemonID == daemonID && $0.json == json
                            && $0.at.duration(to: .now) < Self.longestSilence
                    } ?? false
                if !isKnown {
                    do {
                        try await queue.reportEngines(daemonID: daemonID, json: json)
                        last = (daemonID, json, .now)
                    } catch {
                        logger.debug("engines not reported", ["error": LogValue(error)])
                    }
                }
            }
            try? await Task.sleep(for: Self.period)
        }
    }

    /// What `rewardd.report_engines` takes.
    private func report() async -> String {
        var rows: [PayloadValue] = []
        for model in models {
            let status = model.status
            let served = await model.servedModel
            rows.append(
                .object([
                    "model": .string(model.options.name),
                    "url": .string(model.options.url.description),
                    "served_model": served.map { .string($0) } ?? .null,
                    "reachable": status.isReachable.map { .bool($0) } ?? .null,
                    "in_flight": .number(Double(status.inFlight)),
                    "answered": .number(Double(status.answered)),
                    "failed": .number(Double(status.failed)),
                    "error": status.lastError.map { .string($0) } ?? .null,
                    "error_at": status.lastErrorAt.map {
                        .string($0.formatted(.iso8601))
                    } ?? .null,
                ])
            )
        }
        return PayloadValue.array(rows).json
    }
}
