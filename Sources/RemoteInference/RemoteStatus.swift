package import Foundation

/// How a server did so far, for operators.
package struct RemoteStatus: Sendable, Equatable {
    /// Whether the last request reached it; nil before the first.
    package var isReachable: Bool?
    /// Requests that wait for its answer now.
    package var inFlight = 0
    /// Requests that it answered, refusals included.
    package var answered: Int64 = 0
    /// Tries that ended in a fault.
    package var failed: Int64 = 0
    /// The sentence of the last fault; nil when there was none.
    package var lastError: String?
    /// When that was.
    package var lastErrorAt: Date?
    /// The end of the last request of any outcome.
    package var lastContact: ContinuousClock.Instant?

    /// Nothing has happened.
    package init() {}
}
