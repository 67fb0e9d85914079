import Foundation
import Hashing
import Inference
import RewardModeling
import Transformer

/// A run's model and data, opened and checked but not yet computed with.
struct TrainingMaterial {
    /// The base model's headers, tokenizer and preprocessing.
    let blueprint: EngineBlueprint
    /// Which numbers there are.
    let layout: ParameterLayout
    /// Trained on.
    let train: ClusterStore
    /// Measured on; may be empty.
    let validation: ClusterStore
    /// Names the files of the base model.
    let baseDigest: Digest
    /// Names base model, data and options: a state belongs to one of these.
    let identity: Digest

    /// Reads the base model's small files and the dataset's lines.
    ///
    /// - Throws: ``TrainingError``.
    init(
        _ request: TrainingRequest,
        media: any MediaProvider
    ) throws(TrainingError) {
        let dataset = try Dataset(
            bytes: request.dataset,
            name: request.datasetName,
            tasks: request.options.judgingTasks
        )
        let clusters = DatasetClusters(
            dataset: dataset,
            validationFraction: request.options.validationFraction
        )
        guard !clusters.train.isEmpty else {
            throw .invalidDataset(
                "\(request.datasetName): expected records to train on, got none outside of the "
                    + "validation split. Lower validation_fraction or add records."
            )
        }
        layout = try ParameterLayout(checkpointDirectory: request.baseDirectory)
        do {
            blueprint = try EngineBlueprint(
                directory: request.baseDirectory,
                options: EngineOptions(threads: request.threads)
            )
            guard let family = blueprint.family as? LlavaFamily else {
                preconditionFailure("only LLaVA-OneVision has a parameter layout")
            }
            let pack =
                try PromptPack.read(directory: request.baseDirectory) ?? PromptPack.builtin()
            let writer = ClusterWriter(
                examples: ExampleWriter(pack: pack, media: media),
                builder: blueprint.inputBuilder(vocabularySize: layout.vocabularySize),
                family: family,
                endOfTurn: try blueprint.turnTokens().endOfTurn,
                contextLimit: blueprint.contextLimit,
                lossMean: request.options.lossMean,
                file: request.datasetName
            )
            let budget = request.memoryLimit / 4
            train = ClusterStore(records: clusters.train, writer: writer, memoryBudget: budget)
            validation = ClusterStore(
                records: clusters.validation,
                writer: writer,
                memoryBudget: budget / 8
            )
            baseDigest = try Checkpoint(directory: request.baseDirectory).digest()
            var hash = SHA256()
            hash.update(field: "training run 1".utf8)
            hash.update(field: baseDigest.bytes)
            for template in pack.templates { hash.update(field: template.digest.bytes) }
            hash.update(field: request.dataset)
            hash.update(field: request.options.identity.utf8)
            identity = hash.digest()
        } catch {
            throw .modelUnusable("\(error)")
        }
    }
}

/// Whether a run fits on the machine.
struct TrainingDemand {
    /// Bytes of memory at the widest batch.
    let memory: Int
    /// Bytes on disk: two states while one replaces the other, and the finished model.
    let disk: Int

    /// - Parameter widest: the greatest numbers of rows and tiles a batch has.
    init(layout: ParameterLayout, widest: ClusterSize, type: SavedType, keptBytes: Int) {
        let numbers = layout.count * MemoryLayout<Float>.stride
        memory =
            3 * numbers + keptBytes
            + TrainableModel.byteCount(
                layout: layout,
                rows: widest.rows,
                tiles: widest.tiles,
                targets: widest.targetRows
            )
        disk =
            2 * TrainingState.byteCount(count: layout.count)
            + ModelDirectoryWriter(baseDirectory: "", type: type).byteCount(layout: layout)
    }

    /// Throws ``TrainingError/outOfMemory(needed:available:)`` or
    /// ``TrainingError/outOfDisk(directory:needed:available:)``.
    func check(memoryLimit: Int, directory: String) throws(TrainingError) {
        guard memory <= memoryLimit else {
            throw .outOfMemory(needed: memory, available: memoryLimit)
        }
        let values = try? FileManager.default.attributesOfFileSystem(forPath: directory)
        guard let free = (values?[.systemFreeSize] as? NSNumber)?.intValue else { return }
        guard disk <= free else {
            throw .outOfDisk(directory: directory, needed: disk, available: free)
        }
    }
}
