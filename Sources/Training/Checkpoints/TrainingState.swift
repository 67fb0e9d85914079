package import Hashing
import Transformer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Everything a run needs to go on as if it had never stopped, in one file.
///
/// Layout, little-endian: 16 bytes "rewardd training"; version (u64); digest of the run (32 bytes); digest
/// of the parameter layout (32); step, optimizer step, length of the caller's bytes, count of numbers
/// (u64 each); the caller's bytes; then `count` f32 each of parameters, first moments and second moments;
/// at the end SHA-256 of all before it. The file is replaced by a rename after it is durable, so a crash or
/// a full disk leaves the last whole state.
package struct TrainingState: Sendable, Equatable {
    /// Steps done.
    package var step: Int
    /// What the caller needs beside the numbers: random generators, place in the dataset.
    package var callerBytes: [UInt8]

    /// Joins the parts.
    package init(step: Int, callerBytes: [UInt8]) {
        self.step = step
        self.callerBytes = callerBytes
    }

    /// Bytes of a state file of `count` numbers, the caller's bytes not counted.
    package static func byteCount(count: Int) -> Int {
        headerByteCount + 3 * count * MemoryLayout<Float>.stride + digestByteCount
    }

    /// Whether there is anything at `path`.
    package static func isPresent(at path: String) -> Bool { access(path, F_OK) == 0 }

    /// Writes the state of a run, replacing the file at `path` at the end.
    ///
    /// - Parameter run: names the run (data, options, base model): only the same run can read it back.
    /// - Throws: ``TrainingError/unwritableFile(path:reason:)``; then the file at `path` is as it was.
    package func write(
        to path: String,
        run: Digest,
        numbers: TrainedNumbers
    ) throws(TrainingError) {
        precondition(
            step >= 0 && callerBytes.count <= Self.callerByteLimit,
            "a state of usual size"
        )
        var hash = SHA256()
        let file = try DurableFile(path: path)
        func put(_ bytes: UnsafeRawBufferPointer) throws(TrainingError) {
            hash.update(bytes)
            try file.write(bytes)
        }
        let counts = [
            step, numbers.optimizer.step, callerBytes.count, numbers.parameters.count,
        ]
        var head = Self.magic + Self.bytes(of: Self.version) + run.bytes
        head += numbers.layout.bytes + counts.flatMap { Self.bytes(of: UInt64($0)) }
        head += callerBytes
        var failed: TrainingError?
        head.withUnsafeBytes { bytes in
            do throws(TrainingError) { try put(bytes) } catch { failed = error }
        }
        if let failed { throw failed }
        for buffer in numbers.buffers {
            try put(UnsafeRawBufferPointer(start: buffer.base, count: buffer.count * 4))
        }
        let digest = hash.digest().bytes
        digest.withUnsafeBytes { bytes in
            do throws(TrainingError) { try file.write(bytes) } catch { failed = error }
        }
        if let failed { throw failed }
        try file.commit()
    }

    /// Reads a state back into `numbers`, which are changed only when the whole file is good.
    ///
    /// - Throws: ``TrainingError/stateUnusable(path:expected:got:remedy:)`` for a file that is missing,
    ///   cut short, changed, of another run or of another model.
    package init(
        from path: String,
        run: Digest,
        into numbers: TrainedNumbers
    ) throws(TrainingError) {
        let mapping: MappedFile
        do {
            mapping = try MappedFile(path: path)
        } catch {
            throw Self.unusable(path, "a state", "\"\(error)\"", Self.startAgain)
        }
        let bytes = mapping.bytes
        let header = try StateHeader(bytes, path: path)
        let end = bytes.count - Self.digestByteCount
        var hash = SHA256()
        hash.update(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
        guard hash.digest().bytes.elementsEqual(bytes[end...]) else {
            throw Self.unusable(
                path,
                "contents with the SHA-256 at their end",
                "changed contents",
                Self.startAgain
            )
        }
        guard header.run.elementsEqual(run.bytes) else {
            throw Self.unusable(
                path,
                "the state of this run",
                "that of a run with other data, options or base model",
                "Undo the change, or start again in another directory."
            )
        }
        guard header.layout.elementsEqual(numbers.layout.bytes),
            header.count == numbers.parameters.count
        else {
            throw Self.unusable(
                path,
                "\(numbers.parameters.count) numbers of this model",
                "\(header.count) of another",
                "Is the base model another one?"
            )
        }
        step = header.step
        callerBytes = Array(bytes[Self.headerByteCount..<header.numbersStart])
        numbers.optimizer.step = header.optimizerStep
        var place = header.numbersStart
        for buffer in numbers.buffers {
            let size = buffer.count * 4
            UnsafeMutableRawBufferPointer(start: buffer.base, count: size).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[place..<place + size])
            )
            place += size
        }
    }

    static let magic = Array("rewardd training".utf8)
    static let version: UInt64 = 1
    static let headerByteCount = 120
    static let digestByteCount = 32
    /// More than any generator and place need.
    static let callerByteLimit = 16 << 20
    static let startAgain = "Delete the file to start the run again."

    static func bytes(of value: UInt64) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    static func unusable(
        _ path: String,
        _ expected: String,
        _ got: String,
        _ remedy: String
    ) -> TrainingError {
        .stateUnusable(path: path, expected: expected, got: got, remedy: remedy)
    }
}
