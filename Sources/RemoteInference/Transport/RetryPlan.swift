/// Whether and when a request is tried again: doubling waits with jitter, so that the requests that failed
/// together do not come back together.
struct RetryPlan {
    /// The longest that a request waits for its server; who asks for more is tried again with the shard.
    static let longestWait: Duration = .seconds(30)

    /// Tries after the first.
    let retries: Int

    /// The wait before the next try, nil to give up.
    ///
    /// - Parameter tries: How many were made, at least 1.
    func delay(
        after fault: RemoteFault,
        tries: Int,
        using generator: inout some RandomNumberGenerator
    ) -> Duration? {
        guard fault.isPassing, tries <= retries else { return nil }
        let doubled = 500 << min(max(tries, 1) - 1, 6)
        let wait = Duration.milliseconds(Int.random(in: doubled / 2...doubled, using: &generator))
        guard let asked = fault.retryAfter else { return min(wait, Self.longestWait) }
        // A little later than asked, each at another time.
        return asked > Self.longestWait ? nil : max(wait, asked + wait / 4)
    }
}
