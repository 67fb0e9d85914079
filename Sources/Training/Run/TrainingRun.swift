import Foundation
import Hashing
import Inference
package import Logging
package import RewardModeling
import TensorKernels
import Threading
import Transformer

/// One training run, from the base model to the finished directory.
///
/// All arithmetic happens on the actor's own thread and on those of its pool. The numbers depend on the
/// base model, the data and the options alone: not on threads, on memory, or on how often the run was
/// killed and taken up again.
package actor TrainingRun {
    /// The thread the actor runs on.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    /// Asked after every step; false stops the run, its state saved.
    package typealias Report = @Sendable (TrainingProgress) async -> Bool

    private let executor = ThreadExecutor(name: "train")
    private let request: TrainingRequest
    private let media: any MediaProvider
    private let logger: Logger

    /// Describes a run; ``run(report:)`` does it.
    package init(_ request: TrainingRequest, media: any MediaProvider, logger: Logger) {
        self.request = request
        self.media = media
        self.logger = logger
    }

    /// Trains to the end, taking up the saved state when there is one, and writes the model.
    ///
    /// - Throws: ``TrainingError``, `CancellationError`.
    package func run(report: @escaping Report) async throws -> TrainingResult {
        let material = try TrainingMaterial(request, media: media)
        try StepPlan.check(clusters: material.train.count, options: request.options)
        let reader = ReadingProgress(total: material.train.count + material.validation.count)
        let sizes = try await material.train.prepareAll(concurrency: request.threads + 1) { done in
            await reader.isWelcome(done, report)
        }
        _ = try await material.validation.prepareAll(concurrency: request.threads + 1) { done in
            await reader.isWelcome(material.train.count + done, report)
        }
        let plan = StepPlan(exampleCounts: sizes.map(\.examples), options: request.options)
        try TrainingDemand(
            layout: material.layout,
            widest: plan.widest(sizes),
            type: request.savedType,
            keptBytes: request.memoryLimit / 4
        ).check(memoryLimit: request.memoryLimit, directory: request.workDirectory)
        let loop = try TrainingLoop(
            request: request,
            material: material,
            plan: plan,
            pool: ComputeThreadPool(threads: request.threads, name: "train"),
            logger: logger
        )
        return try await steps(of: loop, report: report)
    }

    private func steps(of loop: TrainingLoop, report: @escaping Report) async throws
        -> TrainingResult
    {
        let plan = loop.plan
        let options = request.options
        var meter = TrainingMeter(plan: plan, firstStep: loop.step)
        var validation: [String: Double] = [:]
        // The next batch is put together while this one is computed.
        var upcoming = prefetch(loop, step: loop.step)
        while loop.step < plan.steps {
            let batches = try await upcoming.value
            upcoming = prefetch(loop, step: loop.step + 1)
            let outcome = try loop.takeStep(batches)
            meter.add(outcome)
            let isLast = loop.step == plan.steps
            let validates = isLast || loop.step.isMultiple(of: options.validateEvery)
            let saves = isLast || loop.step.isMultiple(of: options.checkpointEvery)
            if validates { validation = try await validate(loop) }
            if saves { try loop.save() }
            guard validates || saves || meter.isDue else { continue }
            var progress = meter.report(step: loop.step, learningRate: outcome.learningRate)
            progress.validation = validates ? validation : [:]
            progress.isCheckpoint = saves
            let goesOn = await report(progress)
            if !goesOn || Task.isCancelled {
                upcoming.cancel()
                if !saves { try loop.save() }
                throw TrainingError.stopped
            }
        }
        upcoming.cancel()
        return try loop.finish(loss: meter.recentLoss, validation: validation)
    }

    /// Part of the validation questions that are answered right, by group.
    private func validate(_ loop: TrainingLoop) async throws -> [String: Double] {
        let store = loop.material.validation
        var tally = ValidationTally()
        for first in stride(from: 0, to: store.count, by: Self.validationClusters) {
            let indices = Array(first..<min(first + Self.validationClusters, store.count))
            let clusters = try await store.clusters(indices)
            try loop.evaluate(BatchAssembler.batch(of: clusters), into: &tally)
        }
        return tally.shares
    }

    /// Clusters evaluated at a time.
    private static let validationClusters = 4

    private func prefetch(_ loop: TrainingLoop, step: Int) -> Task<[LabelledBatch], any Error> {
        let store = loop.material.train
        let wanted = step < loop.plan.steps ? Array(loop.plan.batches(ofStep: step)) : []
        return Task.detached {
            var batches: [LabelledBatch] = []
            for indices in wanted {
                batches.append(BatchAssembler.batch(of: try await store.clusters(indices)))
            }
            return batches
        }
    }
}

/// Reports on the reading of pictures, once a second.
private actor ReadingProgress {
    private let total: Int
    private var last = ContinuousClock.now

    init(total: Int) { self.total = total }

    func isWelcome(_ done: Int, _ report: TrainingRun.Report) async -> Bool {
        let now = ContinuousClock.now
        guard now - last >= .seconds(1) || done == total else { return true }
        last = now
        return await report(TrainingProgress(phase: .reading, step: done, steps: total))
    }
}

extension TrainingRequest {
    /// How the finished weights are stored.
    var savedType: SavedType { options.precision == .bf16 ? .bfloat16 : .float32 }
}
