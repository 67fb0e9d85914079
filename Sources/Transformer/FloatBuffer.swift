/// One block of float memory, 64-byte aligned, zeroed once and freed with its owner.
///
/// Every scratch buffer of a forward pass is one of these: allocated when the activations are made, then
/// only borrowed. Not `Sendable`: an activation set belongs to one engine thread.
package final class FloatBuffer {
    /// First element.
    package let base: UnsafeMutablePointer<Float>
    /// Number of floats.
    package let count: Int

    /// Allocates `count` zeroed floats (at least one, so that `base` is always valid).
    package init(count: Int) {
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        base = raw.bindMemory(to: Float.self, capacity: max(count, 1))
        base.initialize(repeating: 0, count: max(count, 1))
        self.count = count
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }
}
