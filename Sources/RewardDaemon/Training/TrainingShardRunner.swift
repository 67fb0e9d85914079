import Inference
import Jobs
import Logging
import MediaDecoding
import RewardModeling
import Training

/// Runs one claimed shard of a train job: hands it to the runner, passes on its progress, and puts
/// the model that comes of it among the daemon's models.
struct TrainingShardRunner: Sendable {
    /// What every training of a daemon shares.
    struct Context: Sendable {
        let queue: JobQueue
        let lease: LeaseClock
        let models: OfferedModels
        let store: TrainedModelStore
        let runner: any TrainingJobRunner
        let mediaRoots: MediaRoots
        /// Compute threads of a training, and the bytes it may take.
        let threads: Int
        let memoryLimit: Int?
        let host: String
        /// Least time between two plain reports that the database hears of.
        let reportInterval: Duration
        /// Makes a finished model usable at once: name and directory.
        let offer: @Sendable (String, String) async -> Void
        let logger: Logger
    }

    private let context: Context
    private let shard: ClaimedShard
    private let stop: StopSwitch
    private let reporter: TrainingReporter
    private let logger: Logger

    /// - Parameter stop: how the worker asks this shard to stop; a lost lease or a cancelled job that
    ///   a report brings to light goes the same way.
    init(context: Context, shard: ClaimedShard, stop: StopSwitch) {
        self.context = context
        self.shard = shard
        self.stop = stop
        let logger = context.logger.with([
            "job.id": LogValue(shard.jobID), "shard.id": LogValue(shard.lease.shardID),
            "job.kind": LogValue(shard.kind), "job.model": LogValue(shard.model),
        ])
        let (queue, lease) = (context.queue, shard.lease)
        self.logger = logger
        reporter = TrainingReporter(
            interval: context.reportInterval,
            logger: logger,
            send: { try await queue.reportProgress(lease, $0) },
            onStop: { stop.stop($0) }
        )
    }

    /// Trains to the end or to a reason to stop, then gives the lease back. Never throws: every error
    /// becomes an outcome of the shard.
    func run() async {
        let start = ContinuousClock.now
        var workplace: TrainedModelStore.Workplace?
        var isTrained = false
        var outcome = FinishOutcome.done
        do {
            await context.lease.untilLive()
            if stop.reason != nil { throw CancellationError() }
            if let item = shard.items.first {
                let request = try TrainJobRequest(shard, item)
                let (base, place) = try await prepare(request)
                workplace = place
                try await train(request, base: base, place)
            }
            isTrained = true
        } catch {
            await reporter.close()
            outcome = await self.outcome(of: error)
        }
        let reply = await end(outcome)
        // What stays lets the next attempt go on, a retry of a failed job too.
        if let workplace, isTrained || reply == FinishReply.cancel.rawValue {
            let store = context.store
            try? await TrainingThread.run { store.remove(workplace) }
        }
        logger.info(
            "training ended",
            [
                "trained": LogValue(isTrained), "reply": LogValue(reply),
                "run.s": LogValue((ContinuousClock.now - start) / .seconds(1)),
            ]
        )
    }

    // MARK: - Training

    /// Makes sure that the training can end well before it begins; returns the base's directory and
    /// where to work.
    private func prepare(
        _ request: TrainJobRequest
    ) async throws -> (base: String, TrainedModelStore.Workplace) {
        let store = context.store
        if context.models.names.contains(request.name),
            context.models.directory(of: request.name) != store.modelDirectory(request.name)
        {
            throw TrainingFailure(
                code: "model_exists",
                message:
                    "name: expected one that no model has, got \"\(request.name)\", which this "
                    + "daemon is configured with. Choose another name."
            )
        }
        guard let base = context.models.directory(of: shard.model) else {
            throw TrainingObstacle("base \"\(shard.model)\": expected a model of this daemon")
        }
        let roots = context.mediaRoots
        let place = try await TrainingThread.run {
            try request.checkDataset(roots)
            try store.checkName(
                request.name,
                request.provenance,
                replacing: request.options.replacesModel
            )
            return try store.open(jobID: request.jobID)
        }
        return (base, place)
    }

    private func train(
        _ request: TrainJobRequest,
        base: String,
        _ place: TrainedModelStore.Workplace
    ) async throws {
        let assignment = TrainingAssignment(
            jobID: shard.jobID,
            baseName: shard.model,
            baseDirectory: base,
            datasetPath: request.dataset,
            name: request.name,
            options: request.options,
            workDirectory: place.state,
            outputDirectory: place.output,
            threads: context.threads,
            memoryLimit: context.memoryLimit
        )
        logger.info(
            "training started",
            ["attempt": LogValue(shard.attempt), "training.name": LogValue(request.name)]
        )
        let (reporter, stop) = (reporter, stop)
        let result = try await context.runner.run(assignment) { report in
            await reporter.add(TrainingProgressRow(report))
            return stop.reason.map { .stop($0) } ?? .proceed
        }
        // Finished in spite of a drain is finished; for the other reasons nobody wants it any more.
        await reporter.settle()
        if stop.reason == .cancelled || stop.reason == .leaseLost { throw CancellationError() }
        // A cancellation from here on must not leave a model that is only half registered.
        let completion = Task { try await complete(request, place, result) }
        try await completion.value
    }

    /// Moves the model to its place, registers and offers it, and stores the item's result. Each step
    /// may be repeated by the next attempt when the daemon dies in between.
    private func complete(
        _ request: TrainJobRequest,
        _ place: TrainedModelStore.Workplace,
        _ result: TrainingResult
    ) async throws {
        let store = context.store
        var provenance = request.provenance
        provenance.digest = result.digest.map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
        try await TrainingThread.run { [provenance] in
            try store.publish(
                place,
                name: request.name,
                provenance: provenance,
                replacing: request.options.replacesModel
            )
        }
        let row = TrainedModelRow(
            name: request.name,
            digest: result.digest,
            directory: store.modelDirectory(request.name),
            steps: result.steps,
            loss: result.loss,
            validation: result.validation
        )
        let isRegistered = try await context.queue.registerModel(
            shard.lease,
            row,
            host: context.host,
            baseDigest: result.baseDigest
        )
        guard isRegistered else { throw loseLease() }
        await context.offer(row.name, row.directory)
        try await record(
            ItemResultRow(itemIndex: request.itemIndex, outcome: .completed(json: row.json))
        )
    }

    // MARK: - Ending

    private func record(_ row: ItemResultRow) async throws {
        let reply = try await context.queue.checkpoint(shard.lease, judgements: [], results: [row])
        if reply == .lost { throw loseLease() }
    }

    private func loseLease() -> CancellationError {
        stop.stop(.leaseLost)
        return CancellationError()
    }

    /// What becomes of the shard after an error. A `CodedError` is stored as the item's result.
    private func outcome(of error: any Error) async -> FinishOutcome {
        if stop.reason != nil { return .release(reason: nil) }
        logger.error(
            "training interrupted",
            ["attempt": LogValue(shard.attempt), "error": LogValue(error)]
        )
        switch error {
        case is CancellationError:
            let unasked = TrainingObstacle("the training stopped although nobody had asked it to")
            return FailurePolicy.outcome(of: unasked, attempt: shard.attempt)
        case let error as any CodedError:
            guard let item = shard.items.first else { break }
            let row = ItemResultRow(
                itemIndex: item.index,
                outcome: .failed(code: error.code, message: error.message)
            )
            do {
                try await record(row)
                return .done
            } catch {
                return FailurePolicy.outcome(of: error, attempt: shard.attempt)
            }
        default:
            break
        }
        return FailurePolicy.outcome(of: error, attempt: shard.attempt)
    }

    /// Ends the lease. Not cancelled with the shard: giving back is quick, and a daemon that is
    /// stopping still has to do it.
    private func end(_ outcome: FinishOutcome) async -> String {
        guard stop.reason != .leaseLost else { return FinishReply.lost.rawValue }
        let (queue, lease) = (context.queue, shard.lease)
        let finish = Task { try await queue.finish(lease, outcome).rawValue }
        do {
            return try await finish.value
        } catch {
            logger.error("shard not given back", ["error": LogValue(error)])
            return "failed"
        }
    }
}
