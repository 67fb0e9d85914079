import FoundationEssentials

/// `model.safetensors.index.json`: which shard file of a checkpoint holds which tensor.
struct CheckpointIndex {
    static let fileName = "model.safetensors.index.json"

    private struct Content: Decodable {
        let weight_map: [String: String]
    }

    /// Tensor name → file name. Every file name is a plain one, so joined to the checkpoint's
    /// directory it stays there.
    let fileByTensor: [String: String]

    /// Reads the index of a checkpoint directory. Throws when it is not JSON of that shape or names
    /// a file outside the directory.
    init(directory: String) throws(CheckpointError) {
        let content = try ConfigFile.decode(
            Content.self,
            directory: directory,
            name: Self.fileName
        )
        for (tensor, file) in content.weight_map {
            // A symbolic link inside the directory is fine: model caches are made of them.
            let isPlain =
                !file.isEmpty && file != "." && file != ".." && !file.contains("/")
                && !file.utf8.contains(0)
            guard isPlain else {
                throw .invalidField(
                    file: Self.fileName,
                    path: "weight_map['\(shown(tensor))']",
                    expected: "the name of a file in the checkpoint's directory",
                    got: "'\(shown(file))'"
                )
            }
        }
        fileByTensor = content.weight_map
    }
}
