package import RewardModeling

/// The records of a training dataset, in the order of the file.
package struct Dataset: Sendable {
    /// The longest line, in bytes.
    package static let maximumLineBytes = 1 << 20
    /// The most records of one dataset.
    package static let maximumRecords = 5_000_000

    /// The file's name as errors say it.
    package let name: String
    /// In the order of the file.
    package let records: [DatasetRecord]

    /// Reads every line, UTF-8 JSON, one object a line; empty lines are skipped.
    ///
    /// - Parameter tasks: when given, lines of other tasks are left out after they were checked.
    /// - Throws: ``TrainingError/invalidDataset(_:)`` with file, line number and field of the first
    ///   line that is wrong.
    package init(
        bytes: [UInt8],
        name: String,
        tasks: Set<JudgingTask>? = nil
    ) throws(TrainingError) {
        self.name = name
        var records: [DatasetRecord] = []
        var line = 0
        for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            line += 1
            if part.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
            let record = try Self.record(part, name: name, line: line)
            guard records.count < Self.maximumRecords else {
                throw .invalidDataset(
                    "\(name): expected at most \(Self.maximumRecords) records, got more. Split it."
                )
            }
            if tasks?.contains(record.task) ?? true { records.append(record) }
        }
        guard !records.isEmpty else {
            throw .invalidDataset(
                "\(name): expected at least one record\(tasks == nil ? "" : " of the chosen tasks"), "
                    + "got \(line) lines without one."
            )
        }
        self.records = records
    }

    private static func record(
        _ bytes: ArraySlice<UInt8>,
        name: String,
        line: Int
    ) throws(TrainingError) -> DatasetRecord {
        guard bytes.count <= maximumLineBytes else {
            throw .invalidDataset(
                "\(name) line \(line): expected at most \(maximumLineBytes) bytes, got \(bytes.count)"
            )
        }
        do throws(DatasetLineError) {
            var reader = try DatasetRecordReader(bytes, line: line)
            return try reader.record()
        } catch {
            throw .invalidDataset("\(name) line \(line): \(error.sentence)")
        }
    }
}
