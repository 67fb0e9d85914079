package import Hashing

/// One tensor of an open checkpoint, not copied.
package struct CheckpointTensor: Sendable {
    /// The name in the file.
    package let name: String
    /// The file's name, as errors show it.
    package let file: String
    /// The stored number type by its safetensors name.
    package let type: String
    package let shape: [Int]
    // nonisolated(unsafe): read-only memory of a mapping.
    /// The stored numbers, at any alignment; valid while the `Checkpoint` is kept.
    nonisolated(unsafe) package let bytes: UnsafeRawBufferPointer
}

/// The weights of a checkpoint directory: one `model.safetensors`, or the shards that
/// `model.safetensors.index.json` lists. Everything is mapped, nothing copied. Immutable.
package final class Checkpoint: Sendable {
    /// The directory it was opened from.
    package let directory: String
    /// All tensors, sorted by name.
    package let tensorNames: [String]
    private let files: [String: SafetensorsFile]
    private let fileByTensor: [String: String]
    private let invented: InventedTensors?

    /// Opens and checks every weight file. The single file wins over an index, as in
    /// `transformers` (`modeling_utils.py`). Throws for whatever `SafetensorsFile` refuses, and for
    /// an index that names a missing file or tensor.
    package init(directory: String) throws(CheckpointError) {
        self.directory = directory
        invented = nil
        let single = "model.safetensors"
        if MappedFile.exists(directory + "/" + single) {
            let file = try SafetensorsFile(path: directory + "/" + single)
            files = [single: file]
            fileByTensor = file.tensors.mapValues { _ in single }
        } else if MappedFile.exists(directory + "/" + CheckpointIndex.fileName) {
            fileByTensor = try CheckpointIndex(directory: directory).fileByTensor
            files = try Self.openShards(of: fileByTensor, directory: directory)
        } else {
            throw .unreadableFile(
                path: directory,
                reason: "expected \(single) or \(CheckpointIndex.fileName), got neither"
            )
        }
        tensorNames = fileByTensor.keys.sorted()
    }

    /// No files: tensors of these shapes by canonical name, to measure speed with.
    init(inventing shapes: [String: [Int]]) {
        directory = "invented"
        files = [:]
        fileByTensor = [:]
        tensorNames = shapes.keys.sorted()
        invented = InventedTensors(shapes: shapes)
    }

    /// A tensor by its name in the files; nil when there is none.
    package func tensor(_ name: String) -> CheckpointTensor? {
        if let invented { return invented.tensor(name) }
        guard let fileName = fileByTensor[name], let file = files[fileName],
            let entry = file.tensors[name]
        else { return nil }
        return CheckpointTensor(
            name: name,
            file: fileName,
            type: entry.dtype,
            shape: entry.shape,
            bytes: file.bytes(of: entry)
        )
    }

    /// Lets the system take back the memory of a tensor that has been copied; what is read later comes back from
    /// the file.
    func release(_ tensor: CheckpointTensor) {
        // Invented ones have no file to come back from.
        if invented == nil { MappedPages.release(tensor.bytes) }
    }

    /// What makes this model answer as it does: SHA-256 over the weight files and those texts
    /// beside them that are present (configuration, tokenizer, chat template, preprocessing), in
    /// order of their names; each as name length, name, byte count (64-bit little-endian) and
    /// bytes. Reads every weight: a second and more for each gigabyte, so keep the result.
    /// Throws when a text file cannot be read.
    package func digest() throws(CheckpointError) -> Digest {
        let texts = Self.digestedTexts.filter { MappedFile.exists(directory + "/" + $0) }
        var hash = SHA256()
        for name in (texts + files.keys).sorted() {
            let file = try MappedFile(path: directory + "/" + name)
            Self.update(&hash, length: name.utf8.count)
            hash.update(name)
            Self.update(&hash, length: file.bytes.count)
            for start in stride(from: 0, to: file.bytes.count, by: Self.digestedBytes) {
                let end = min(start + Self.digestedBytes, file.bytes.count)
                let piece = UnsafeRawBufferPointer(rebasing: file.bytes[start..<end])
                hash.update(piece)
                MappedPages.release(piece)
            }
        }
        return hash.digest()
    }

    /// Bytes that are read before their pages are given back.
    private static let digestedBytes = 16 << 20

    private static let digestedTexts = [
        "config.json", "generation_config.json", "preprocessor_config.json",
        "processor_config.json", "video_preprocessor_config.json", "tokenizer.json",
        "tokenizer_config.json", "chat_template.json", "chat_template.jinja",
    ]

    private static func update(_ hash: inout SHA256, length: Int) {
        withUnsafeBytes(of: UInt64(length).littleEndian) { hash.update($0) }
    }

    private static func openShards(
        of fileByTensor: [String: String],
        directory: String
    ) throws(CheckpointError) -> [String: SafetensorsFile] {
        var files: [String: SafetensorsFile] = [:]
        for (tensor, name) in fileByTensor.sorted(by: { $0.key < $1.key }) {
            let file: SafetensorsFile
            if let open = files[name] {
                file = open
            } else {
                file = try SafetensorsFile(path: directory + "/" + name)
                files[name] = file
            }
            guard file.tensors[tensor] != nil else {
                throw .missingTensor(
                    place: name,
                    canonicalName: shown(tensor),
                    lookedFor: [shown(tensor)]
                )
            }
        }
        return files
    }
}
