import Foundation

/// Where a trained model came from: the file `rewardd-training.json` in its directory, which is no
/// part of the checkpoint and of its digest.
struct ModelProvenance: Codable, Sendable, Equatable {
    /// The file's name.
    static let fileName = "rewardd-training.json"

    var jobID: Int64
    var base: String
    var dataset: String
    /// The job's options as the database keeps them, JSON as text.
    var options: String
    /// SHA-256 over the checkpoint's files in hexadecimal; empty while it is not known.
    var digest: String

    /// Whether the other was asked for in the same words, so that it may well be the same model.
    func hasSameRequest(as other: ModelProvenance) -> Bool {
        base == other.base && dataset == other.dataset && options == other.options
    }

    /// Reads the file of a model's directory; nil when there is none that can be read.
    static func read(directory: String) -> ModelProvenance? {
        guard let data = FileManager.default.contents(atPath: "\(directory)/\(fileName)") else {
            return nil
        }
        return try? JSONDecoder().decode(ModelProvenance.self, from: data)
    }

    /// Writes the file into a model's directory.
    func write(directory: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let url = URL(filePath: "\(directory)/\(Self.fileName)")
        try encoder.encode(self).write(to: url, options: .atomic)
    }

    private enum CodingKeys: String, CodingKey {
        case jobID = "job_id"
        case base
        case dataset
        case options
        case digest
    }
}
