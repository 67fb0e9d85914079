import Jobs
import MediaDecoding
import RewardModeling
import Training

/// What a train job asks for, read from its item and its options.
struct TrainJobRequest: Sendable {
    let jobID: Int64
    let itemIndex: Int
    /// Name of the model to be made.
    let name: String
    /// The JSONL file, an absolute path.
    let dataset: String
    let options: TrainingOptions
    /// What is written beside the model; its digest is not known yet.
    let provenance: ModelProvenance

    /// Reads a claimed item. Throws `CodedError`s: the database has checked both, so a refusal means
    /// that it accepts more than this version knows.
    init(_ shard: ClaimedShard, _ item: ClaimedItem) throws {
        guard case .object(let fields)? = PayloadValue(json: item.payload),
            case .string(let dataset)? = fields["dataset"],
            case .string(let name)? = fields["name"],
            dataset.hasPrefix("/"), TrainedModelStore.isModelName(name)
        else {
            throw TrainingFailure(
                code: "invalid_item",
                message: "item: expected a dataset and the name of a model, got something else. "
                    + "Upgrade rewardd."
            )
        }
        jobID = shard.jobID
        itemIndex = item.index
        self.name = name
        self.dataset = dataset
        options = try TrainingOptions(json: shard.options)
        provenance = ModelProvenance(
            jobID: shard.jobID,
            base: shard.model,
            dataset: dataset,
            options: String(decoding: shard.options, as: UTF8.self),
            digest: ""
        )
    }

    /// Refuses a dataset outside the media roots, or one that is no file: its lines come back in
    /// messages, so it must be a file that submitters may name.
    func checkDataset(_ roots: MediaRoots) throws(TrainingFailure) {
        do throws(MediaError) {
            // Every check is made before the first byte would be read.
            _ = try roots.read(path: dataset, limits: MediaLimits(maximumFileBytes: 0))
        } catch {
            switch error {
            case .tooLarge: return
            case .outsideRoots: throw refusal("dataset_outside_roots", error)
            case .notFound: throw refusal("dataset_not_found", error)
            default: throw refusal("dataset_unreadable", error)
            }
        }
    }

    private func refusal(_ code: String, _ error: MediaError) -> TrainingFailure {
        TrainingFailure(code: code, message: "dataset: \(error.message)")
    }
}
