import ArgumentParsing

/// A bar of fixed width: `[█████░░░░░]`.
enum ProgressBar {
    /// The bar for `done` of `total`.
    static func bar(done: Int64, total: Int64, width: Int = 24) -> String {
        let share = total > 0 ? Double(min(max(done, 0), total)) / Double(total) : 0
        let filled = Int((share * Double(width)).rounded(.down))
        return "["
            + String(repeating: "█", count: filled)
            + String(repeating: "░", count: width - filled) + "]"
    }

    /// `51 %`, rounded down so that 100 % means all.
    static func percent(done: Int64, total: Int64) -> String {
        total > 0 ? "\(min(max(done, 0), total) * 100 / total) %" : "0 %"
    }
}

/// The rate of a job from what was seen while watching it, and when it will end at that rate.
///
/// The rate is measured over the last minute of observations, so that a pause or a second daemon
/// shows within a minute.
struct RateEstimate: Sendable {
    private var samples: [(at: ContinuousClock.Instant, done: Int64)] = []

    /// Notes that `done` items were finished at `instant`.
    mutating func note(done: Int64, at instant: ContinuousClock.Instant) {
        samples.append((instant, done))
        while samples.count > 2, samples[1].at.duration(to: instant) > .seconds(60) {
            samples.removeFirst()
        }
    }

    /// Items per second, or nil before anything was seen to move.
    var itemsPerSecond: Double? {
        guard let first = samples.first, let last = samples.last, last.done > first.done else {
            return nil
        }
        let seconds = first.at.duration(to: last.at) / .seconds(1)
        return seconds > 0 ? Double(last.done - first.done) / seconds : nil
    }

    /// Time until `remaining` more items are finished at the present rate.
    func timeLeft(remaining: Int64) -> Duration? {
        guard let itemsPerSecond, remaining > 0 else { return nil }
        return .seconds(Double(remaining) / itemsPerSecond)
    }
}
