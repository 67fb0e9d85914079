import TensorKernels

/// Tensors where only shapes matter, to measure how fast a model of these shapes runs: all in bf16, all showing
/// the beginning of one block of random numbers, roughly uniform in -0.05…0.05.
// @unchecked Sendable because the memory is written only by init.
final class InventedTensors: @unchecked Sendable {
    let shapes: [String: [Int]]
    private let memory: UnsafeMutableRawPointer

    /// Tensors by canonical name.
    init(shapes: [String: [Int]]) {
        self.shapes = shapes
        let count = shapes.values.map { $0.reduce(1, *) }.max() ?? 0
        memory = .allocate(byteCount: max(count, 1) * 2, alignment: 64)
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        for index in 0..<count {
            // xorshift64* (Vigna 2016).
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            let value = Float(Int16(truncatingIfNeeded: state >> 33)) * (0.05 / 32768)
            memory.storeBytes(
                of: UInt16(truncatingIfNeeded: value.bitPattern >> 16),
                toByteOffset: index * 2,
                as: UInt16.self
            )
        }
    }

    deinit { memory.deallocate() }

    /// A tensor by its canonical name; valid while this object is kept.
    func tensor(_ name: String) -> CheckpointTensor? {
        guard let shape = shapes[name] else { return nil }
        return CheckpointTensor(
            name: name,
            file: "invented",
            type: WeightType.bfloat16.rawValue,
            shape: shape,
            bytes: UnsafeRawBufferPointer(start: memory, count: shape.reduce(2, *))
        )
    }
}
