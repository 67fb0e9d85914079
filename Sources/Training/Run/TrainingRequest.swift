/// What a run needs to know.
package struct TrainingRequest: Sendable {
    /// The model to start from.
    package var baseDirectory: String
    /// Contents of the dataset's file.
    package var dataset: [UInt8]
    /// The file's name, as errors say it.
    package var datasetName: String
    /// Where the state is kept: the same for every attempt, so that a killed run goes on.
    package var workDirectory: String
    /// Where the finished model is written; its parent exists.
    package var outputDirectory: String
    /// How to train.
    package var options: TrainingOptions
    /// Compute threads.
    package var threads: Int
    /// Bytes the run may take.
    package var memoryLimit: Int

    /// Collects the parts.
    package init(
        baseDirectory: String,
        dataset: [UInt8],
        datasetName: String,
        workDirectory: String,
        outputDirectory: String,
        options: TrainingOptions,
        threads: Int,
        memoryLimit: Int
    ) {
        self.baseDirectory = baseDirectory
        self.dataset = dataset
        self.datasetName = datasetName
        self.workDirectory = workDirectory
        self.outputDirectory = outputDirectory
        self.options = options
        self.threads = threads
        self.memoryLimit = memoryLimit
    }
}
