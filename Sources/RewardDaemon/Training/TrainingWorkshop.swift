import Foundation
import Inference
import Jobs
import Logging
import MediaDecoding
import RemoteInference

/// The models of a daemon and, where it is configured to train, what trains them: the part of the
/// composition that `RunningDaemon` leaves to this folder.
struct TrainingWorkshop: Sendable {
    /// Every model the daemon offers.
    let models = OfferedModels()

    private let configuration: DaemonConfiguration
    private let queue: JobQueue
    private let engines: EnginePool
    private let lease: LeaseClock
    private let store: TrainedModelStore?
    private let trainer: any TrainingJobRunner
    private let logger: Logger

    init(
        configuration: DaemonConfiguration,
        queue: JobQueue,
        engines: EnginePool,
        lease: LeaseClock,
        trainer: any TrainingJobRunner,
        logger: Logger
    ) {
        self.configuration = configuration
        self.queue = queue
        self.engines = engines
        self.lease = lease
        self.logger = logger
        self.trainer = trainer
        let options = ConfigurationCheck.engineOptions(configuration)
        store = configuration.training.map { training in
            TrainedModelStore(directory: training.directory) { directory in
                _ = try EngineBlueprint(directory: directory, options: options)
            }
        }
    }

    /// Offers the configured models, then those that were trained here before.
    func offerModels() async {
        for model in configuration.models { await offer(model.name, model.directory) }
        for engine in configuration.remoteEngines { models.offerRemote(name: engine.name) }
        guard let store else { return }
        guard let found = try? await TrainingThread.run({ store.discover() }) else { return }
        for (name, reason) in found.unusable {
            logger.warning(
                "trained model not offered",
                ["model": LogValue(name), "error": LogValue(reason)]
            )
        }
        for name in found.models {
            guard !models.names.contains(name) else {
                logger.warning(
                    "trained model not offered: the configuration has another of its name",
                    ["model": LogValue(name)]
                )
                continue
            }
            await offer(name, store.modelDirectory(name))
        }
    }

    /// What the daemon announces that it can run: names of models, and labels for sampling
    /// and training from them.
    var announcement: [String] {
        store == nil ? models.judgingLabels() : models.judgingLabels() + models.trainingLabels
    }

    /// The worker's duty; nil for a daemon that does not train.
    var duty: Worker.Duty? {
        guard let store, let training = configuration.training else { return nil }
        let context = TrainingShardRunner.Context(
            queue: queue,
            lease: lease,
            models: models,
            store: store,
            runner: trainer,
            mediaRoots: MediaRoots(configuration.mediaRoots),
            threads: training.threads,
            memoryLimit: training.memoryLimitBytes,
            host: ProcessInfo.processInfo.hostName,
            reportInterval: .seconds(1),
            offer: { name, directory in
                await offer(name, directory)
                await announce()
            },
            logger: logger
        )
        return Worker.Duty(
            slots: 1,
            labels: { [models] in models.trainingLabels },
            run: { await TrainingShardRunner(context: context, shard: $0, stop: $1).run() }
        )
    }

    /// The daemon has a (new) number, under which its first models are announced: says what came
    /// since.
    func registered() async {
        let configured = configuration.models.count + configuration.remoteEngines.count
        if models.names.count > configured { await announce() }
    }

    /// Removes what cancelled and completed jobs left here while no daemon was looking.
    func sweep() async {
        guard let store else { return }
        do {
            let jobs = try await TrainingThread.run { store.jobsWithWork() }
            for job in try await queue.settledJobs(among: jobs) {
                try await TrainingThread.run { try store.remove(store.open(jobID: job)) }
                logger.info("unfinished training removed", ["job.id": LogValue(job)])
            }
        } catch {
            logger.debug("unfinished trainings not looked at", ["error": LogValue(error)])
        }
    }

    // MARK: - Parts

    private func offer(_ name: String, _ directory: String) async {
        models.offer(name: name, directory: directory)
        await engines.replace(
            name: name,
            directory: directory,
            precision: configuration.precisions[name]
        )
    }

    /// Tells the database what this daemon can run now.
    private func announce() async {
        guard let daemonID = lease.daemonID else { return }
        do {
            try await queue.setModels(daemonID: daemonID, models: announcement)
        } catch {
            logger.warning("models not announced", ["error": LogValue(error)])
        }
    }
}
