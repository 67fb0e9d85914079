import Synchronization

/// Texts in the order they were handed over.
final class TextCollector: Sendable {
    private let parts = Mutex<[String]>([])

    func append(_ part: String) { parts.withLock { $0.append(part) } }

    var text: String { parts.withLock { $0.joined() } }
}
