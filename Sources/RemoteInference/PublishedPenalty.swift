import Foundation
import JSONReading

/// The repetition penalty of a model's `generation_config.json`, which a server does not tell.
enum PublishedPenalty {
    static let fileName = "generation_config.json"

    /// 1 where no directory is given, the file is not there, or it says nothing about it.
    ///
    /// Throws `RemoteFault` for a file that cannot be read as what it should be.
    static func read(directory: String?) throws(RemoteFault) -> Double {
        guard let directory else { return 1 }
        let path = "\(directory)/\(fileName)"
        guard let bytes = FileManager.default.contents(atPath: path) else { return 1 }
        guard let document = try? JSONReader.read(Array(bytes)), case .object = document else {
            throw RemoteFault(
                .host,
                "\(path): expected a JSON object, got something else. Copy the checkpoint's again."
            )
        }
        let found = document["repetition_penalty"] ?? .null
        if found == .null { return 1 }
        guard case .number = found, let value = found.double, (0.01...100).contains(value) else {
            throw RemoteFault(
                .host,
                "\(path): repetition_penalty: expected a number from 0.01 to 100, got \(found.json). "
                    + "Copy the checkpoint's again."
            )
        }
        return value
    }
}
