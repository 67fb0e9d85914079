/// Decides when a server that gave no answer is given work again.
///
/// Pure: the clock is an argument. Closed by a request that got no answer although it was tried again, for at
/// least a second, and twice as long each time in a row. After that time one small request finds out whether
/// the server is there; an answer opens it.
struct OutageGate: Sendable, Equatable {
    /// The longest time between two looks, unless the server asked for a longer one.
    static let longestWait: Duration = .seconds(15)
    /// The longest that a server can ask to be left alone.
    static let longestAsked: Duration = .seconds(3600)

    private var outages = 0
    private var closedUntil: ContinuousClock.Instant?

    /// Whether the server is given work.
    var isOpen: Bool { closedUntil == nil }

    /// Whether it is time to look whether it is there.
    func isLookDue(at now: ContinuousClock.Instant) -> Bool {
        closedUntil.map { now >= $0 } ?? false
    }

    /// A request got no answer, its further tries included.
    ///
    /// - Parameter asked: How long the server asked to be left alone.
    mutating func failed(at now: ContinuousClock.Instant, asked: Duration? = nil) {
        // Requests that were in flight together fail together: one outage.
        let isSame = closedUntil.map { now < $0 } ?? false
        if !isSame { outages += 1 }
        let doubled = Duration.seconds(1 << min(outages - 1, 6))
        let wait = max(min(doubled, Self.longestWait), min(asked ?? .zero, Self.longestAsked))
        closedUntil = isSame ? closedUntil.map { max($0, now + (asked ?? .zero)) } : now + wait
    }

    /// An answer came. One that comes before it is time to look was under way, and changes nothing: a server
    /// that turns away some requests and answers others would be asked in circles.
    ///
    /// - Parameter isToQuestion: A server that lists its models may still turn questions away: its next
    ///   outage is longer.
    mutating func answered(at now: ContinuousClock.Instant, isToQuestion: Bool) {
        guard isOpen || isLookDue(at: now) else { return }
        closedUntil = nil
        if isToQuestion { outages = 0 }
    }
}
