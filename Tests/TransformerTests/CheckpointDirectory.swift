import Foundation

/// A directory of files for one test, removed when this object goes.
final class CheckpointDirectory {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "checkpoint-\(UUID().uuidString)"
        )
        path = url.path
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(filePath: path + "/" + name))
    }

    func write(_ text: String, to name: String) throws {
        try write(Array(text.utf8), to: name)
    }

    /// A safetensors file of f32 tensors, or of others when `type` says so; the bytes count up.
    func writeTensors(
        _ tensors: [(name: String, shape: [Int])],
        type: String = "F32",
        to name: String
    ) throws {
        let size = type == "F32" ? 4 : 2
        var entries: [String] = []
        var offset = 0
        for tensor in tensors {
            let count = tensor.shape.reduce(1, *) * size
            entries.append(
                "\"\(tensor.name)\": {\"dtype\": \"\(type)\", \"shape\": \(tensor.shape), "
                    + "\"data_offsets\": [\(offset), \(offset + count)]}"
            )
            offset += count
        }
        let data = (0..<offset).map { UInt8(truncatingIfNeeded: $0) }
        try write(
            Self.safetensors(header: "{\(entries.joined(separator: ", "))}", data: data),
            to: name
        )
    }

    static func safetensors(header: String, data: [UInt8]) -> [UInt8] {
        let header = Array(header.utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> ($0 * 8)) }
        return length + header + data
    }
}
