/// What a train job came to: the result of its one item.
package struct TrainedModelRow: Sendable, Equatable {
    /// The name that jobs use.
    package var name: String
    /// SHA-256 over the files of the checkpoint, 32 bytes.
    package var digest: [UInt8]
    /// Where the checkpoint lies on this host.
    package var directory: String
    /// Optimizer steps in all.
    package var steps: Int
    /// Mean loss at the end.
    package var loss: Double
    /// Accuracies of the last validation by task and kind.
    package var validation: [String: Double]

    package init(
        name: String,
        digest: [UInt8],
        directory: String,
        steps: Int,
        loss: Double,
        validation: [String: Double]
    ) {
        self.name = name
        self.digest = digest
        self.directory = directory
        self.steps = steps
        self.loss = loss
        self.validation = validation
    }

    /// The result as it is stored, a JSON object as text.
    package var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("model", name)
            writer.field("digest", hex: digest)
            writer.field("directory", directory)
            writer.field("steps", steps)
            writer.field("loss", loss)
            writer.field("validation", validation)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
