/// The fixed part of a state file, checked against the length of the file.
struct StateHeader {
    /// 32 bytes each.
    let run: [UInt8]
    let layout: [UInt8]
    let step: Int
    let optimizerStep: Int
    /// Numbers in each of the three parts.
    let count: Int
    /// Offset of the first number.
    let numbersStart: Int

    /// Reads it; afterwards every part is known to lie inside the file.
    ///
    /// - Throws: ``TrainingError/stateUnusable(path:expected:got:remedy:)``.
    init(_ bytes: UnsafeRawBufferPointer, path: String) throws(TrainingError) {
        let least = TrainingState.headerByteCount + TrainingState.digestByteCount
        guard bytes.count >= least else {
            throw TrainingState.unusable(
                path,
                "at least \(least) bytes",
                "\(bytes.count): cut short",
                TrainingState.startAgain
            )
        }
        guard bytes[..<16].elementsEqual(TrainingState.magic) else {
            throw TrainingState.unusable(
                path,
                "a training state",
                "another kind of file",
                "Name the file that a run wrote."
            )
        }
        func number(at offset: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        guard number(at: 16) == TrainingState.version else {
            throw TrainingState.unusable(
                path,
                "version \(TrainingState.version)",
                "version \(number(at: 16))",
                "Continue with the program that wrote it, or start the run again."
            )
        }
        run = Array(bytes[24..<56])
        layout = Array(bytes[56..<88])
        let limit = UInt64(1) << 48
        let values = [88, 96, 104, 112].map { number(at: $0) }
        guard values.allSatisfy({ $0 < limit }),
            values[2] <= UInt64(TrainingState.callerByteLimit)
        else {
            throw TrainingState.unusable(
                path,
                "counts of usual size",
                "\(values)",
                TrainingState.startAgain
            )
        }
        step = Int(values[0])
        optimizerStep = Int(values[1])
        count = Int(values[3])
        numbersStart = TrainingState.headerByteCount + Int(values[2])
        let expected = TrainingState.byteCount(count: count) + Int(values[2])
        guard bytes.count == expected else {
            throw TrainingState.unusable(
                path,
                "\(expected) bytes",
                "\(bytes.count): \(bytes.count < expected ? "cut short" : "longer than written")",
                TrainingState.startAgain
            )
        }
    }
}
