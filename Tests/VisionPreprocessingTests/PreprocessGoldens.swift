import FoundationEssentials
import VisionPreprocessing

/// Tensors of a safetensors file under Tests/Goldens, for this target's tests.
struct PreprocessGoldens {
    private let data: [UInt8]
    private let entries: [String: Entry]

    private struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    struct Missing: Error {
        let name: String
    }

    /// `Tests/Goldens/<path>`.
    static func path(_ path: String, file: StaticString = #filePath) -> String {
        let tests = String(describing: file).split(separator: "/").dropLast(2)
        return "/" + tests.joined(separator: "/") + "/Goldens/" + path
    }

    init(_ path: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: Self.path(path))))
        let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        var header = try JSONDecoder().decode(
            [String: EntryOrText].self,
            from: Data(bytes[8..<8 + length])
        )
        header["__metadata__"] = nil
        entries = header.compactMapValues(\.entry)
        data = Array(bytes[(8 + length)...])
    }

    private struct EntryOrText: Decodable {
        let entry: Entry?
        init(from decoder: any Decoder) throws { entry = try? Entry(from: decoder) }
    }

    var names: [String] { entries.keys.sorted() }

    func shape(_ name: String) throws -> [Int] {
        guard let entry = entries[name] else { throw Missing(name: name) }
        return entry.shape
    }

    func bytes(_ name: String) throws -> [UInt8] {
        guard let entry = entries[name] else { throw Missing(name: name) }
        return Array(data[entry.data_offsets[0]..<entry.data_offsets[1]])
    }

    func floats(_ name: String) throws -> [Float] {
        try bytes(name).withUnsafeBytes { raw in
            (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
        }
    }

    func integers(_ name: String) throws -> [Int] {
        try bytes(name).withUnsafeBytes { raw in
            (0..<raw.count / 8).map {
                Int(raw.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self))
            }
        }
    }

    /// A `[h, w, 3]` tensor.
    func image(_ name: String) throws -> RGBImage {
        let shape = try shape(name)
        return try RGBImage(width: shape[1], height: shape[0], pixels: bytes(name))
    }
}
