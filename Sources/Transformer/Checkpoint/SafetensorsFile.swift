/// Where one tensor lies in a safetensors file.
package struct TensorEntry: Sendable, Equatable {
    package let name: String
    /// The stored number type by its safetensors name: "F32", "BF16", "F16" or any other.
    package let dtype: String
    package let shape: [Int]
    /// Byte offsets inside the data that follows the header.
    package let range: Range<Int>
}

/// A safetensors file, mapped. Its header has been checked whole: every tensor lies inside the
/// file and is exactly as long as its type and shape say, and together they fill the data without
/// gap or overlap (huggingface/safetensors, README "Format").
package struct SafetensorsFile: Sendable {
    /// The file's name without its directory, as errors show it.
    package let name: String
    package let tensors: [String: TensorEntry]
    private let mapping: MappedFile
    private let dataStart: Int

    /// Opens and checks a file. Throws `unreadableFile`, `truncatedFile` or `malformedFile`.
    package init(path: String) throws(CheckpointError) {
        mapping = try MappedFile(path: path)
        name = String(path.split(separator: "/").last ?? "")
        let bytes = mapping.bytes
        guard bytes.count >= 8 else {
            throw .truncatedFile(file: name, promised: 8, actual: bytes.count)
        }
        let headerCount = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard headerCount <= SafetensorsHeader.maximumByteCount else {
            throw .malformedFile(
                file: name,
                reason: "expected a header of at most \(SafetensorsHeader.maximumByteCount) bytes, "
                    + "got \(headerCount). Is it a safetensors file?"
            )
        }
        dataStart = 8 + Int(headerCount)
        guard dataStart <= bytes.count else {
            throw .truncatedFile(file: name, promised: dataStart, actual: bytes.count)
        }
        let entries = try SafetensorsHeader.entries(
            of: UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart]),
            file: name
        )
        try Self.checkLayout(
            entries,
            dataStart: dataStart,
            fileByteCount: bytes.count,
            file: name
        )
        tensors = Dictionary(
            entries.map { entry in
                let tensor = TensorEntry(
                    name: entry.name,
                    dtype: entry.type,
                    shape: entry.shape,
                    range: entry.range
                )
                return (entry.name, tensor)
            },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The bytes of a tensor of this file, at any alignment; valid while this file is kept.
    package func bytes(of entry: TensorEntry) -> UnsafeRawBufferPointer {
        let data = UnsafeRawBufferPointer(rebasing: mapping.bytes[dataStart...])
        return UnsafeRawBufferPointer(rebasing: data[entry.range])
    }

    private static func checkLayout(
        _ entries: [SafetensorsHeader.Entry],
        dataStart: Int,
        fileByteCount: Int,
        file: String
    ) throws(CheckpointError) {
        for entry in entries { try checkSize(entry, file: file) }
        var end = 0
        for entry in entries.sorted(by: {
            ($0.range.lowerBound, $0.range.upperBound)
                < ($1.range.lowerBound, $1.range.upperBound)
        }) {
            guard entry.range.lowerBound == end else {
                throw .malformedFile(
                    file: file,
                    reason: "tensor '\(shown(entry.name))': expected data from offset \(end) on, "
                        + "got \(entry.range.lowerBound)"
                )
            }
            end = entry.range.upperBound
        }
        let (promised, overflowed) = dataStart.addingReportingOverflow(end)
        guard !overflowed, promised <= fileByteCount else {
            throw .truncatedFile(
                file: file,
                promised: overflowed ? .max : promised,
                actual: fileByteCount
            )
        }
        guard promised == fileByteCount else {
            throw .malformedFile(
                file: file,
                reason: "expected \(promised) bytes as the header says, got \(fileByteCount)"
            )
        }
    }

    /// The range of a tensor is exactly type × shape long. A type of unknown size is let through:
    /// it is refused when somebody wants to compute with it.
    private static func checkSize(
        _ entry: SafetensorsHeader.Entry,
        file: String
    ) throws(CheckpointError) {
        guard let size = byteCount(ofType: entry.type) else { return }
        var expected = size
        for dimension in entry.shape {
            let (product, overflowed) = expected.multipliedReportingOverflow(by: dimension)
            guard !overflowed else {
                throw .malformedFile(
                    file: file,
                    reason: "tensor '\(shown(entry.name))': expected a shape that fits in memory, "
                        + "got \(entry.shape.prefix(8))"
                )
            }
            expected = product
        }
        guard expected == entry.range.count else {
            throw .malformedFile(
                file: file,
                reason: "tensor '\(shown(entry.name))': expected \(expected) bytes for "
                    + "\(shown(entry.type)) \(entry.shape.prefix(8)), got \(entry.range.count)"
            )
        }
    }

    private static func byteCount(ofType type: String) -> Int? {
        switch type {
        case "F64", "I64", "U64": 8
        case "F32", "I32", "U32": 4
        case "F16", "BF16", "I16", "U16": 2
        case "I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2": 1
        default: nil
        }
    }
}
