package import Training

/// Everything a runner has to know of one train job.
package struct TrainingAssignment: Sendable, Equatable {
    package var jobID: Int64
    /// The model to start from.
    package var baseName: String
    package var baseDirectory: String
    /// A JSONL file under a media root, absolute.
    package var datasetPath: String
    /// Name of the model to be made.
    package var name: String
    package var options: TrainingOptions
    /// Where the runner keeps its state. The same for every attempt of the job on this host, so a
    /// killed run goes on; removed when the job succeeds or is cancelled.
    package var workDirectory: String
    /// Where the finished model is written: does not exist, its parent does. The daemon moves it to
    /// its place below the training directory once it is whole.
    package var outputDirectory: String
    /// Compute threads.
    package var threads: Int
    /// Bytes the training may take; nil for no limit of its own.
    package var memoryLimit: Int?

    package init(
        jobID: Int64,
        baseName: String,
        baseDirectory: String,
        datasetPath: String,
        name: String,
        options: TrainingOptions,
        workDirectory: String,
        outputDirectory: String,
        threads: Int,
        memoryLimit: Int?
    ) {
        self.jobID = jobID
        self.baseName = baseName
        self.baseDirectory = baseDirectory
        self.datasetPath = datasetPath
        self.name = name
        self.options = options
        self.workDirectory = workDirectory
        self.outputDirectory = outputDirectory
        self.threads = threads
        self.memoryLimit = memoryLimit
    }
}
