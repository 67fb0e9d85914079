import FoundationEssentials
package import TensorKernels

/// Gives out a checkpoint's tensors by canonical name (`CanonicalTensorName`), each with the shape
/// that the model expects, whatever naming the files use.
///
/// When config.json ties the word embeddings, `lm_head.weight` is `text.embed_tokens.weight`, also
/// where a file stores both: so does the reference.
package struct WeightReader {
    private struct TieFlags: Decodable {
        struct Text: Decodable {
            let tie_word_embeddings: Bool?
        }
        let tie_word_embeddings: Bool?
        let text_config: Text?
    }

    /// Whether `lm_head.weight` stands for the token embeddings.
    package let tiesWordEmbeddings: Bool
    /// How matrices are held.
    package let precision: WeightPrecision
    private let checkpoint: Checkpoint
    private let storedName: [String: String]

    /// Throws when two stored tensors are the same canonical one, or config.json is unreadable.
    package init(
        checkpoint: Checkpoint,
        precision: WeightPrecision = .stored
    ) throws(CheckpointError) {
        self.checkpoint = checkpoint
        self.precision = precision
        let flags = try ConfigFile.decode(
            TieFlags.self,
            directory: checkpoint.directory,
            name: ConfigFile.name
        )
        tiesWordEmbeddings =
            flags.tie_word_embeddings ?? false || flags.text_config?.tie_word_embeddings ?? false
        var storedName: [String: String] = [:]
        for name in checkpoint.tensorNames {
            guard let canonical = CanonicalTensorName.name(ofStored: name) else { continue }
            if let other = storedName.updateValue(name, forKey: canonical) {
                throw .malformedFile(
                    file: checkpoint.directory,
                    reason: "expected one tensor for '\(shown(canonical))', got "
                        + "'\(shown(other))' and '\(shown(name))'"
                )
            }
        }
        self.storedName = storedName
    }

    /// Gives out invented tensors, which bear canonical names.
    init(inventing checkpoint: Checkpoint, tiesWordEmbeddings: Bool, precision: WeightPrecision) {
        self.checkpoint = checkpoint
        self.tiesWordEmbeddings = tiesWordEmbeddings
        self.precision = precision
        storedName = Dictionary(uniqueKeysWithValues: checkpoint.tensorNames.map { ($0, $0) })
    }

    /// Whether the checkpoint has the tensor.
    package func contains(_ canonical: String) -> Bool {
        storedName[resolved(canonical)] != nil
    }

    /// The stored shape of a tensor; nil when there is none. The vocabulary's rows are taken from
    /// the tensor: checkpoints are resized without config.json following.
    package func shape(of canonical: String) -> [Int]? {
        storedName[resolved(canonical)].flatMap { checkpoint.tensor($0) }?.shape
    }

    /// A weight [outputs, inputs], packed for `matrixProduct` in the precision of this reader. A convolution's
    /// kernel [outputs, channels, (frames,) height, width] is taken as the matrix it is applied as.
    /// Throws `missingTensor`, `shapeMismatch` or `unsupportedType`.
    package func matrix(
        _ canonical: String,
        outputs: Int,
        inputs: Int,
        pool: ComputeThreadPool? = nil
    ) throws(CheckpointError) -> PackedMatrix {
        let (tensor, type, stored) = try stored(canonical)
        // A product that overflows belongs to a shape with a 0 in it, and is 0 when it wraps.
        let isConvolution = (4...5).contains(tensor.shape.count)
        let columns = isConvolution ? tensor.shape[1...].reduce(1, &*) : tensor.shape.last
        guard tensor.shape.count == 2 || isConvolution, tensor.shape[0] == outputs,
            columns == inputs, outputs > 0, inputs > 0
        else {
            throw mismatch(tensor, expected: [outputs, inputs])
        }
        // Until then the process holds the weight twice.
        defer { checkpoint.release(tensor) }
        return PackedMatrix(
            rowMajor: stored,
            type: type,
            outputs: outputs,
            inputs: inputs,
            as: precision.panelType(ofCanonical: canonical),
            pool: pool
        )
    }

    /// A vector of `count` numbers, widened to f32.
    /// Throws `missingTensor`, `shapeMismatch` or `unsupportedType`.
    package func vector(
        _ canonical: String,
        count: Int
    ) throws(CheckpointError) -> WeightVector {
        let (tensor, type, stored) = try stored(canonical)
        guard tensor.shape == [count] else { throw mismatch(tensor, expected: [count]) }
        return WeightVector(stored, type: type, count: count)
    }

    /// A table [rows, columns], read in place; `rows` nil takes as many as are stored.
    /// Throws `missingTensor`, `shapeMismatch` or `unsupportedType`.
    package func table(
        _ canonical: String,
        rows: Int?,
        columns: Int
    ) throws(CheckpointError) -> EmbeddingTable {
        let (tensor, type, stored) = try stored(canonical)
        let storedRows = tensor.shape.first ?? 0
        guard tensor.shape.count == 2, tensor.shape[1] == columns,
            storedRows == rows ?? storedRows, storedRows > 0
        else {
            throw mismatch(tensor, expected: [rows ?? storedRows, columns])
        }
        return EmbeddingTable(
            stored: stored,
            type: type,
            rows: storedRows,
            columns: columns,
            checkpoint: checkpoint
        )
    }

    /// Writes a tensor of exactly `shape`, widened to f32, to as many floats at `target`.
    /// Throws `missingTensor`, `shapeMismatch` or `unsupportedType`.
    package func read(
        _ canonical: String,
        shape: [Int],
        into target: UnsafeMutablePointer<Float>
    ) throws(CheckpointError) {
        let (tensor, type, stored) = try stored(canonical)
        guard tensor.shape == shape else { throw mismatch(tensor, expected: shape) }
        widen(stored, type: type, count: shape.reduce(1, *), into: target)
    }

    private func resolved(_ canonical: String) -> String {
        tiesWordEmbeddings && canonical == "lm_head.weight"
            ? "text.embed_tokens.weight" : canonical
    }

    private func stored(
        _ canonical: String
    ) throws(CheckpointError) -> (CheckpointTensor, WeightType, UnsafeRawPointer) {
        let canonical = resolved(canonical)
        guard let tensor = storedName[canonical].flatMap({ checkpoint.tensor($0) }) else {
            throw .missingTensor(
                place: checkpoint.directory,
                canonicalName: canonical,
                lookedFor: CanonicalTensorName.storedNames(of: canonical)
            )
        }
        guard let type = WeightType(rawValue: tensor.type) else {
            throw .unsupportedType(file: tensor.file, tensor: tensor.name, got: tensor.type)
        }
        // An empty tensor at the very end of a file has no address of its own.
        guard let stored = tensor.bytes.baseAddress else {
            throw .shapeMismatch(
                file: tensor.file,
                tensor: tensor.name,
                expected: [1],
                got: tensor.shape
            )
        }
        return (tensor, type, stored)
    }

    private func mismatch(_ tensor: CheckpointTensor, expected: [Int]) -> CheckpointError {
        .shapeMismatch(
            file: tensor.file,
            tensor: tensor.name,
            expected: expected,
            got: tensor.shape
        )
    }
}
