import Transformer

/// Writes the parameters of a model as one safetensors file: tensors sorted by name without gaps, the
/// header padded to a multiple of 8 bytes (huggingface/safetensors, README "Format").
struct SafetensorsWriter {
    /// What is written.
    let parameters: ParameterBuffer
    /// f32 or bf16; f16 has too little range for weights and is not offered.
    let type: SavedType

    /// Writes and makes durable.
    ///
    /// - Throws: ``TrainingError/unwritableFile(path:reason:)``; then there is no new file.
    func write(to path: String) throws(TrainingError) {
        let entries = parameters.layout.entries.sorted { $0.name < $1.name }
        let file = try DurableFile(path: path)
        let header = header(entries)
        try Self.write([UInt64(header.count).littleEndian], to: file)
        try Self.write(header, to: file)
        for entry in entries {
            let numbers = UnsafeBufferPointer(
                start: parameters.values.base + entry.offset,
                count: entry.count
            )
            switch type {
            case .float32: try file.write(UnsafeRawBufferPointer(numbers))
            case .bfloat16: try writeRounded(numbers, to: file)
            }
        }
        try file.commit()
    }

    private func header(_ entries: [ParameterLayout.Entry]) -> [UInt8] {
        var text = #"{"__metadata__":{"format":"pt"}"#
        var offset = 0
        for entry in entries {
            let end = offset + entry.count * type.byteCount
            let shape = entry.shape.map { "\($0)" }.joined(separator: ",")
            text += ",\"\(entry.name)\":{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(shape)],"
            text += "\"data_offsets\":[\(offset),\(end)]}"
            offset = end
        }
        var bytes = Array((text + "}").utf8)
        while !bytes.count.isMultiple(of: 8) { bytes.append(UInt8(ascii: " ")) }
        return bytes
    }

    private func writeRounded(
        _ numbers: UnsafeBufferPointer<Float>,
        to file: DurableFile
    ) throws(TrainingError) {
        var part: [UInt16] = []
        for start in stride(from: 0, to: numbers.count, by: 64 << 10) {
            let end = min(start + (64 << 10), numbers.count)
            part.removeAll(keepingCapacity: true)
            for index in start..<end { part.append(bfloat16Bits(numbers[index]).littleEndian) }
            try Self.write(part, to: file)
        }
    }

    private static func write<Element: BitwiseCopyable>(
        _ elements: [Element],
        to file: DurableFile
    ) throws(TrainingError) {
        var failed: TrainingError?
        elements.withUnsafeBytes { bytes in
            do throws(TrainingError) { try file.write(bytes) } catch { failed = error }
        }
        if let failed { throw failed }
    }
}

/// How the weights of a saved model are stored; the raw value is safetensors' name.
package enum SavedType: String, Sendable, CaseIterable {
    case float32 = "F32"
    case bfloat16 = "BF16"

    /// Bytes of one number.
    var byteCount: Int { self == .float32 ? 4 : 2 }

    /// What config.json calls it.
    var configName: String { self == .float32 ? "float32" : "bfloat16" }
}

/// The nearest bf16 number, ties to even, as PyTorch rounds; NaN stays NaN.
func bfloat16Bits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
    let rounded = UInt64(bits) + 0x7FFF + UInt64((bits >> 16) & 1)
    return UInt16(truncatingIfNeeded: rounded >> 16)
}
