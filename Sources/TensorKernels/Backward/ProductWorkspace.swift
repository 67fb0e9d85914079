/// The memory in which `generalProduct` keeps its packed right operand; it grows to the largest product.
///
/// One for each thread that multiplies: a product uses it from beginning to end.
package final class ProductWorkspace {
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int

    /// Takes no memory worth mentioning yet.
    package init() {
        capacity = 64
        memory = .allocate(byteCount: capacity * MemoryLayout<Float>.size, alignment: 64)
    }

    deinit { memory.deallocate() }

    /// Bytes held now.
    package var byteCount: Int { capacity * MemoryLayout<Float>.size }

    /// Bytes that a product with an [k, n] right operand needs.
    package static func byteCount(n: Int, k: Int) -> Int {
        (n + 15) / 16 * 16 * k * MemoryLayout<Float>.size
    }

    /// Room for `count` numbers, aligned to 64 bytes; what was in it is lost.
    func reserve(_ count: Int) -> UnsafeMutablePointer<Float> {
        if count > capacity {
            memory.deallocate()
            memory = .allocate(byteCount: count * MemoryLayout<Float>.size, alignment: 64)
            capacity = count
        }
        return memory.assumingMemoryBound(to: Float.self)
    }
}
