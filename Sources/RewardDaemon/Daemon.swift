package import Logging
internal import RemoteInference
internal import TensorKernels

/// The daemon as a whole: builds everything, works until it is asked to stop, gives back what it holds.
///
/// Every decision about stopping is `ShutdownStateMachine`'s; this is its shell.
package final class Daemon: Sendable {
    /// The version that `--version` prints and that the daemon registers with.
    package static let version = "0.1.0"

    /// The version with the instructions that the large products run with on this processor.
    package static var versionText: String { "\(version) (\(KernelSet.description))" }

    private enum Event: Sendable {
        case signal(Int32)
        case started(RunningDaemon)
        case startFailed(any Error)
        case drainRequested
        case graceEnded
        case workEnded
    }

    /// After the grace period, the time that cancelled work has to stop and be given back. What is
    /// still held then is released by other daemons when the lease ends.
    private static let abandonLimit: Duration = .seconds(10)

    private let configuration: DaemonConfiguration
    private let understoodSchema: ClosedRange<Int>
    private let logger: Logger

    package init(
        configuration: DaemonConfiguration,
        understoodSchema: ClosedRange<Int>,
        logger: Logger
    ) {
        self.configuration = configuration
        self.understoodSchema = understoodSchema
        self.logger = logger
    }

    /// Runs until a signal asks to stop; returns when everything is given back.
    ///
    /// A database that cannot be reached is waited for. Throws `DaemonStartError` when a model, a
    /// decoder or the database's schema cannot be used.
    package func run(signals: AsyncStream<Int32>) async throws {
        logger.info(
            "starting",
            [
                "version": LogValue(Daemon.version), "kernels": LogValue(KernelSet.chosen.name),
                "slots": LogValue(configuration.slots),
                "threads": LogValue(configuration.threads),
                "models": LogValue(
                    (configuration.models.map(\.name) + configuration.remoteEngines.map(\.name))
                        .joined(separator: ",")
                ),
                "queues": LogValue(configuration.queues.joined(separator: ",")),
            ]
        )
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        let forwarding = Task {
            for await number in signals { continuation.yield(.signal(number)) }
        }
        let start = Task { await self.start(continuation) }
        defer {
            forwarding.cancel()
            start.cancel()
        }
        try await obey(events, continuation, start: start)
    }

    // MARK: - Events

    private func obey(
        _ events: AsyncStream<Event>,
        _ continuation: AsyncStream<Event>.Continuation,
        start: Task<Void, Never>
    ) async throws {
        var shutdown = ShutdownStateMachine()
        var running: RunningDaemon?
        for await event in events {
            var action = ShutdownStateMachine.Action.none
            switch event {
            case .started(let daemon):
                running = daemon
                ServiceNotify.ready(status: "working")
            case .startFailed(let error):
                if shutdown.state == .running { throw error }
                action = shutdown.workEnded()
            case .signal(let number):
                logger.notice("signal received", ["signal": LogValue(Int(number))])
                action = shutdown.stopRequested()
            case .drainRequested:
                if shutdown.state == .running { action = shutdown.stopRequested() }
            case .graceEnded:
                action = shutdown.graceEnded()
            case .workEnded:
                action = shutdown.workEnded()
            }
            switch action {
            case .drain:
                await drain(running, start: start, continuation)
            case .cancelWork:
                logger.notice("grace period over, items in flight are given back")
                await running?.worker.abandon()
                announce(.workEnded, after: Daemon.abandonLimit, to: continuation)
            case .exit:
                await running?.stop()
                logger.info("stopped")
                return
            case .none:
                break
            }
        }
    }

    private func drain(
        _ running: RunningDaemon?,
        start: Task<Void, Never>,
        _ continuation: AsyncStream<Event>.Continuation
    ) async {
        ServiceNotify.stopping()
        guard let running else {
            // Still waiting for the database: there is nothing to give back.
            start.cancel()
            continuation.yield(.workEnded)
            return
        }
        logger.notice("draining", ["grace.s": LogValue(configuration.grace / .seconds(1))])
        announce(.graceEnded, after: configuration.grace, to: continuation)
        await running.worker.drain()
    }

    private func announce(
        _ event: Event,
        after delay: Duration,
        to continuation: AsyncStream<Event>.Continuation
    ) {
        Task {
            try await Task.sleep(for: delay)
            continuation.yield(event)
        }
    }

    private func start(_ continuation: AsyncStream<Event>.Continuation) async {
        do {
            let daemon = try await RunningDaemon.start(
                configuration: configuration,
                understoodSchema: understoodSchema,
                logger: logger
            ) { event in
                switch event {
                case .drainRequested: continuation.yield(.drainRequested)
                case .workEnded: continuation.yield(.workEnded)
                }
            }
            continuation.yield(.started(daemon))
        } catch {
            continuation.yield(.startFailed(error))
        }
    }
}
