import TensorKernels

/// A bias or a norm's weight, widened to f32. Immutable.
// @unchecked Sendable because the memory is written only by init.
package final class WeightVector: @unchecked Sendable {
    package let count: Int
    /// `count` numbers, aligned to 64 bytes; valid while this object is kept.
    package let pointer: UnsafePointer<Float>

    /// Widens `count` stored numbers, at any alignment.
    init(_ stored: UnsafeRawPointer, type: WeightType, count: Int) {
        self.count = count
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<Float>.stride,
            alignment: 64
        )
        let numbers = memory.bindMemory(to: Float.self, capacity: max(count, 1))
        widen(stored, type: type, count: count, into: numbers)
        pointer = UnsafePointer(numbers)
    }

    deinit { UnsafeMutablePointer(mutating: pointer).deallocate() }
}
