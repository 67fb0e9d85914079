package import Hashing
package import Inference

/// Where an item's picture is.
package enum MediaReference: Sendable, Hashable {
    /// A path under one of the daemon's media roots.
    case path(String)
    /// Bytes stored in the database, named by their SHA-256.
    case stored(Digest)

    /// The shortest form of the payload that means the same: a string, or `{"media": "…"}`.
    package var json: PayloadValue {
        switch self {
        case .path(let path): .string(path)
        case .stored(let digest): .object(["media": .string(digest.hex)])
        }
    }
}

/// Reads and decodes pictures. The daemon's reads files below its roots and the `media` table.
package protocol MediaProvider: Sendable {
    /// The decoded picture. An error conforming to `CodedError` fails the item; any other is
    /// rethrown.
    func image(_ reference: MediaReference) async throws -> EngineImage
}
