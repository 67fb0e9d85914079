import RewardModeling

/// Why a model cannot be trained, or what it learnt cannot be written or read back.
///
/// `description` is a sentence with the subject, what was expected, what was found and what to do.
package enum TrainingError: CodedError, CustomStringConvertible, Sendable, Equatable {
    /// A line of the dataset is not a record; a whole sentence with file, line and field.
    case invalidDataset(_ sentence: String)
    /// A record's picture cannot be had, or it does not fit the model; a whole sentence with the line.
    case unusableRecord(_ sentence: String)
    /// The run would take more memory than it may; bytes.
    case outOfMemory(needed: Int, available: Int)
    /// The run would write more than the disk holds; bytes.
    case outOfDisk(directory: String, needed: Int, available: Int)
    /// The loss is no longer a number.
    case diverged(step: Int)
    /// The run was told to stop; its last checkpoint is whole.
    case stopped
    /// The model to start from cannot be read; `reason` is a whole sentence.
    case modelUnusable(_ reason: String)
    /// A batch refers to something that is not there, or asks for nothing.
    case invalidBatch(subject: String, expected: String, got: String)
    /// An option of the run is out of its range or does not fit the model.
    case invalidOption(name: String, expected: String, got: String)
    /// A file or directory cannot be written; what was there before is whole.
    case unwritableFile(path: String, reason: String)
    /// A saved training state cannot be continued from.
    case stateUnusable(path: String, expected: String, got: String, remedy: String)

    /// The name stored with a failed run.
    package var code: String {
        switch self {
        case .invalidDataset: "invalid_dataset"
        case .unusableRecord: "unusable_record"
        case .outOfMemory: "out_of_memory"
        case .outOfDisk, .unwritableFile: "out_of_disk"
        case .diverged: "diverged"
        case .stopped: "stopped"
        case .modelUnusable: "model_unusable"
        case .invalidBatch: "invalid_batch"
        case .invalidOption: "invalid_options"
        case .stateUnusable: "invalid_state"
        }
    }

    /// The whole sentence.
    package var message: String { description }

    package var description: String {
        switch self {
        case .invalidDataset(let sentence), .unusableRecord(let sentence):
            sentence
        case .outOfMemory(let needed, let available):
            "training: expected at most \(available >> 20) MiB of memory, got a run that takes "
                + "\(needed >> 20) MiB. Lower batch_size, or raise training.memory_limit."
        case .outOfDisk(let directory, let needed, let available):
            "\(directory): expected \(needed >> 20) MiB of free disk for checkpoints, got "
                + "\(available >> 20) MiB. Free space or set training.directory elsewhere."
        case .diverged(let step):
            "training: expected a finite loss, got none at step \(step). Lower learning_rate; the "
                + "last checkpoint is whole."
        case .stopped:
            "training: stopped as asked; the last checkpoint is whole."
        case .modelUnusable(let reason):
            reason
        case .invalidBatch(let subject, let expected, let got):
            "batch: \(subject): expected \(expected), got \(got). Correct what builds the batch."
        case .invalidOption(let name, let expected, let got):
            "\(name): expected \(expected), got \(got). Change the option."
        case .unwritableFile(let path, let reason):
            "\(path): expected to write it, got \"\(reason)\". Free space or correct the "
                + "permissions, then continue from the last saved state."
        case .stateUnusable(let path, let expected, let got, let remedy):
            "\(path): expected \(expected), got \(got). \(remedy)"
        }
    }
}
