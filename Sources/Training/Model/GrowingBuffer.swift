/// Memory that is kept between steps and only ever grows; its contents do not survive growing.
///
/// The numbers are not cleared. Belongs to one training thread.
final class GrowingBuffer<Element: BitwiseCopyable> {
    /// First element, aligned to 64 bytes; valid until the next ``require(_:)``.
    private(set) var base: UnsafeMutablePointer<Element>
    /// Elements there is room for.
    private(set) var capacity: Int

    /// Takes room for one element.
    init() {
        base = Self.allocate(1)
        capacity = 1
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }

    /// Makes room for `count` elements, with an eighth to spare so that batches of slightly growing
    /// size do not allocate every time.
    func require(_ count: Int) {
        guard count > capacity else { return }
        UnsafeMutableRawPointer(base).deallocate()
        capacity = count + count / 8
        base = Self.allocate(capacity)
    }

    /// Makes room for the elements of `source` and copies them.
    func fill(_ source: [Element]) {
        require(source.count)
        source.withUnsafeBufferPointer { elements in
            guard let first = elements.baseAddress else { return }
            base.update(from: first, count: elements.count)
        }
    }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<Element> {
        UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<Element>.stride,
            alignment: 64
        ).bindMemory(to: Element.self, capacity: max(count, 1))
    }
}
