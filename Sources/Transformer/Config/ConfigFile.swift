import FoundationEssentials

/// Reads the JSON files of a checkpoint directory, turning what JSONDecoder says into sentences
/// that name the file and the path in it.
enum ConfigFile {
    static let name = "config.json"
    static let generationName = "generation_config.json"

    /// An index of 100,000 tensors has 10 MB; more than this is not a configuration.
    private static let maximumByteCount = 64 << 20

    /// Decodes one file. Throws `unreadableFile` when it is missing, `malformedFile` when it is not
    /// JSON, `invalidField` when a field has the wrong type.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        directory: String,
        name: String
    ) throws(CheckpointError) -> Value {
        let file = try MappedFile(path: directory + "/" + name)
        guard file.bytes.count <= maximumByteCount else {
            throw .malformedFile(
                file: name,
                reason: "expected at most \(maximumByteCount) bytes, got \(file.bytes.count)"
            )
        }
        do {
            return try JSONDecoder().decode(type, from: Data(file.bytes))
        } catch let error as DecodingError {
            throw sentence(for: error, file: name)
        } catch {
            throw .malformedFile(file: name, reason: "not valid JSON")
        }
    }

    /// As `decode`; nil when there is no such file.
    static func decodeIfPresent<Value: Decodable>(
        _ type: Value.Type,
        directory: String,
        name: String
    ) throws(CheckpointError) -> Value? {
        guard MappedFile.exists(directory + "/" + name) else { return nil }
        return try decode(type, directory: directory, name: name)
    }

    private static func sentence(for error: DecodingError, file: String) -> CheckpointError {
        switch error {
        case .typeMismatch(let type, let context):
            let got = shown(context.debugDescription)
            return .invalidField(
                file: file,
                path: path(context.codingPath),
                expected: name(of: type),
                got: "something else (\(got))"
            )
        case .valueNotFound(let type, let context):
            return .invalidField(
                file: file,
                path: path(context.codingPath),
                expected: name(of: type),
                got: "null"
            )
        case .keyNotFound(let key, let context):
            return .invalidField(
                file: file,
                path: path(context.codingPath + [key]),
                expected: "a value",
                got: "nothing"
            )
        case .dataCorrupted(let context):
            if context.codingPath.isEmpty {
                return .malformedFile(
                    file: file,
                    reason: "expected JSON, got something else "
                        + "(\(shown(context.debugDescription)))"
                )
            }
            return .invalidField(
                file: file,
                path: path(context.codingPath),
                expected: "a legal value",
                got: "something else (\(shown(context.debugDescription)))"
            )
        @unknown default:
            return .malformedFile(file: file, reason: "expected JSON of the known layout")
        }
    }

    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is Int.Type, is Int32.Type, is Int64.Type: "a whole number"
        case is Double.Type, is Float.Type: "a number"
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is [Any].Type: "an array"
        default: "an object"
        }
    }

    /// `text_config.rope_parameters.rope_theta`, `image_grid_pinpoints[3]`
    private static func path(_ keys: [any CodingKey]) -> String {
        if keys.isEmpty { return "the document" }
        var path = ""
        for key in keys {
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += path.isEmpty ? shown(key.stringValue) : ".\(shown(key.stringValue))"
            }
        }
        return path
    }
}
