import FailPoints
import Foundation
import Glibc
import Hashing
import Inference
import Jobs
import Logging
import MediaDecoding
import Postgres
import RewardModeling
import Threading

/// The parts of a daemon that has started: composition root of both columns.
final class RunningDaemon: Sendable {
    /// What the parts tell the shell.
    enum Event: Sendable {
        /// An operator asked this daemon to drain.
        case drainRequested
        /// A drain is complete.
        case workEnded
    }

    let worker: WorkerGroup
    private let heartbeat: Heartbeat
    private let listener: NotificationListener
    private let engines: EnginePool
    private let chores: [Task<Void, Never>]

    /// Checks models, decoders and schema, registers, and begins to claim.
    ///
    /// Waits for a database that cannot be reached. Throws `DaemonStartError` for what waiting does
    /// not heal.
    ///
    /// - Parameter trainer: what trains, where the configuration says that this daemon does; nil for
    ///   the training module.
    static func start(
        configuration: DaemonConfiguration,
        understoodSchema: ClosedRange<Int>,
        trainer: (any TrainingJobRunner)? = nil,
        logger: Logger,
        handler: @escaping @Sendable (Event) -> Void
    ) async throws -> RunningDaemon {
        let problems = ConfigurationCheck.problems(of: configuration)
        if let first = problems.first {
            throw DaemonStartError(
                exitCode: ImageDecoder.missingPrograms().isEmpty ? .configuration : .unavailable,
                description: first
            )
        }
        for warning in ConfigurationCheck.warnings() {
            logger.warning("program missing", ["program": LogValue(warning)])
        }
        let session = Session(
            url: configuration.databaseURL,
            applicationName: "rewardd",
            name: "pg-work",
            logger: logger
        )
        let failPoints = Self.failPoints(configuration, logger: logger)
        let queue = JobQueue(session: session, failPoints: failPoints)
        do {
            try await queue.checkSchema(
                oldest: understoodSchema.lowerBound,
                latest: understoodSchema.upperBound
            )
        } catch let error as JobsError {
            throw DaemonStartError(exitCode: .configuration, description: "\(error)")
        } catch let error as PostgresError {
            throw DaemonStartError(exitCode: .configuration, description: "\(error)")
        }
        let daemon = try await RunningDaemon(
            configuration: configuration,
            queue: queue,
            trainer: trainer,
            logger: logger,
            handler: handler
        )
        daemon.heartbeat.start()
        daemon.listener.start()
        return daemon
    }

    private init(
        configuration: DaemonConfiguration,
        queue: JobQueue,
        trainer: (any TrainingJobRunner)?,
        logger: Logger,
        handler: @escaping @Sendable (Event) -> Void
    ) async throws {
        let lease = LeaseClock()
        let engines = EnginePool(
            memoryBudget: configuration.memoryLimitBytes,
            options: ConfigurationCheck.engineOptions(configuration),
            logger: logger
        )
        let media = Self.mediaLibrary(configuration, queue: queue)
        let native = NativeTrainer(
            roots: MediaRoots(configuration.mediaRoots),
            media: media,
            logger: logger
        )
        let workshop = TrainingWorkshop(
            configuration: configuration,
            queue: queue,
            engines: engines,
            lease: lease,
            trainer: trainer ?? native,
            logger: logger
        )
        await workshop.offerModels()
        let remote = try RemoteEngines(
            configuration.remoteEngines,
            others: engines,
            logger: logger
        )
        let context = ShardRunner.Context(
            queue: queue,
            engines: Self.engineSource(configuration, source: remote, logger: logger),
            media: media,
            pack: try PromptPack.builtin(),
            lease: lease,
            itemsAtOnce: configuration.itemsAtOnce,
            logger: logger
        )
        let judging = Worker.Duty(
            slots: configuration.slots,
            labels: { workshop.models.judgingLabels(without: remote.resting) },
            run: { await ShardRunner(context: context, shard: $0, stop: $1).run() }
        )
        let worker = WorkerGroup(
            [judging, workshop.duty].compactMap { $0 },
            onStopped: { handler(.workEnded) }
        ) { duty, onStopped in
            Worker(
                queue: queue,
                lease: lease,
                queues: configuration.queues,
                duty: duty,
                logger: logger,
                onStopped: onStopped
            )
        }
        let listener = Self.listener(configuration, worker: worker, logger: logger)
        heartbeat = Self.heartbeat(
            configuration,
            models: workshop.announcement,
            lease: lease,
            failPoints: queue.failPoints,
            logger: logger,
            handler: Self.heartbeatHandler(workshop, worker, listener, handler)
        )
        let reporter = EngineReporter(
            models: remote.all,
            queue: queue,
            lease: lease,
            logger: logger
        )
        let ticker = ScheduleTicker(url: configuration.databaseURL, logger: logger)
        let retention = RetentionTicker(url: configuration.databaseURL, logger: logger)
        self.worker = worker
        self.listener = listener
        self.engines = engines
        chores = [
            Self.poll(worker, every: configuration.pollInterval),
            Self.watch(worker),
            Task { await ticker.run() },
            Task { await retention.run() },
            Task { await workshop.sweep() },
            Task { if !reporter.models.isEmpty { await reporter.run() } },
        ]
    }

    /// Takes leave of the database and ends every thread that can be ended.
    func stop() async {
        for chore in chores { chore.cancel() }
        await engines.shutDown()
        let (heartbeat, listener) = (heartbeat, listener)
        await withCheckedContinuation { continuation in
            // Joining blocks, so it happens on a thread of its own.
            _ = NamedThread(name: "stop") {
                heartbeat.stop()
                listener.stop()
                continuation.resume()
            }
        }
    }

    // MARK: - Parts

    /// None, except in tests of the queue.
    private static func failPoints(
        _ configuration: DaemonConfiguration,
        logger: Logger
    ) -> FailPoints {
        guard !configuration.failPoints.isEmpty else { return .none }
        logger.warning(
            "FAIL POINTS: this daemon kills or freezes itself",
            [
                "points": LogValue(FailPointList.text(configuration.failPoints)),
                "variable": LogValue(FailPointSetting.environmentVariable),
            ]
        )
        return FailPoints(configuration.failPoints) { point, action in
            logger.warning(
                "FAIL POINT",
                ["point": LogValue(point.rawValue), "action": LogValue(action.text)]
            )
        }
    }

    /// The pool and the servers, except in tests of the queue.
    private static func engineSource(
        _ configuration: DaemonConfiguration,
        source: RemoteEngines,
        logger: Logger
    ) -> any EngineSource {
        guard let setting = configuration.scriptedEngine else { return source }
        return ScriptedEngines(setting, models: configuration.models, pool: source, logger: logger)
    }

    private static func mediaLibrary(
        _ configuration: DaemonConfiguration,
        queue: JobQueue
    ) -> MediaLibrary {
        var limits = MediaLimits()
        limits.maximumPixels = configuration.imagePixelsLimit
        limits.maximumFileBytes = configuration.imageBytesLimit
        return MediaLibrary(
            roots: MediaRoots(configuration.mediaRoots),
            limits: limits,
            // As many as one item loads at once: a video waits for its decoder more than it computes.
            threadCount: max(configuration.slots, 4)
        ) { digest in
            try await queue.media(digest: digest.bytes)
        }
    }

    /// Wakes the worker when work or a cancellation is announced.
    private static func listener(
        _ configuration: DaemonConfiguration,
        worker: WorkerGroup,
        logger: Logger
    ) -> NotificationListener {
        NotificationListener(
            url: configuration.databaseURL,
            applicationName: "rewardd listen",
            channels: ["rewardd_wake"],
            logger: logger
        ) { event in
            switch event {
            case .listening:
                Task { await worker.wake() }
            case .notification(let notification) where notification.channel == "rewardd_wake":
                Task { await worker.wake() }
            case .notification:
                Task { await worker.checkCancelled() }
            case .lost:
                break
            }
        }
    }

    private static func heartbeat(
        _ configuration: DaemonConfiguration,
        models: [String],
        lease: LeaseClock,
        failPoints: FailPoints,
        logger: Logger,
        handler: @escaping @Sendable (Heartbeat.Event) -> Void
    ) -> Heartbeat {
        Heartbeat(
            url: configuration.databaseURL,
            registration: DaemonRegistration(
                host: ProcessInfo.processInfo.hostName,
                processID: getpid(),
                version: Daemon.version,
                models: models,
                queues: configuration.queues
            ),
            lease: lease,
            failPoints: failPoints,
            logger: logger,
            handler: handler
        )
    }

    private static func heartbeatHandler(
        _ workshop: TrainingWorkshop,
        _ worker: WorkerGroup,
        _ listener: NotificationListener,
        _ handler: @escaping @Sendable (Event) -> Void
    ) -> @Sendable (Heartbeat.Event) -> Void {
        { event in
            switch event {
            case .registered(let daemonID):
                listener.add(channel: "rewardd_daemon_\(daemonID)")
                Task {
                    await workshop.registered()
                    await worker.wake()
                }
            case .leasesLost:
                Task { await worker.leasesLost() }
            case .drainRequested:
                handler(.drainRequested)
            }
        }
    }

    /// Looks for work and for cancelled jobs although no notification came: one may have been lost.
    private static func poll(_ worker: WorkerGroup, every interval: Duration) -> Task<Void, Never> {
        Task {
            while !Task.isCancelled {
                await worker.wake()
                await worker.checkCancelled()
                try? await Task.sleep(for: interval)
            }
        }
    }

    /// Tells the service manager that the worker answers, and what it does.
    private static func watch(_ worker: WorkerGroup) -> Task<Void, Never> {
        let period = ServiceNotify.watchdogPeriod().map { $0 / 2 } ?? .seconds(5)
        return Task {
            while !Task.isCancelled {
                let count = await worker.runningCount
                ServiceNotify.watchdog()
                ServiceNotify.status(count == 0 ? "idle" : "running \(count) shards")
                try? await Task.sleep(for: period)
            }
        }
    }
}
