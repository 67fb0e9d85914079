/// Chooses the thread that loads a file: the one that loads the same file now, so that its clip is decoded
/// once; else the one with the fewest waiting.
struct MediaDispatch {
    private var waiting: [Int]
    private var current: [String: (thread: Int, count: Int)] = [:]

    init(threadCount: Int) {
        waiting = Array(repeating: 0, count: max(1, threadCount))
    }

    /// The thread for a file; it counts as waiting there until ``finish(_:)``.
    mutating func start(_ file: String) -> Int {
        let least = waiting.indices.min { waiting[$0] < waiting[$1] } ?? 0
        let thread = current[file]?.thread ?? least
        waiting[thread] += 1
        current[file, default: (thread, 0)].count += 1
        return thread
    }

    /// One load of the file has ended.
    mutating func finish(_ file: String) {
        guard let (thread, count) = current[file] else { return }
        waiting[thread] -= 1
        current[file] = count > 1 ? (thread, count - 1) : nil
    }
}
