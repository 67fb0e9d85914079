import Staging

/// Counts steps, and stops a benchmark between two of them when Ctrl-C came.
final class BenchmarkSteps {
    /// Thrown through the run by Ctrl-C.
    struct Interrupted: Error {}

    private let total: Int
    private let show: (BenchmarkProgress) -> Void
    private var done = 0

    /// - Parameter total: How many steps there will be.
    init(_ total: Int, show: @escaping (BenchmarkProgress) -> Void) {
        self.total = total
        self.show = show
    }

    /// One more step begins.
    func next(_ note: String) throws {
        try check()
        show(BenchmarkProgress(done: min(done, total - 1), total: total, note: note))
        done += 1
    }

    /// Throws when Ctrl-C came.
    func check() throws {
        if InterruptFlag.isRaised { throw Interrupted() }
    }
}
