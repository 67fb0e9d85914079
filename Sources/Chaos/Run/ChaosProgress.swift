/// How far a run is.
package struct ChaosProgress: Sendable {
    /// Seconds of faults that are over.
    package let done: Int
    /// Seconds of faults in all.
    package let total: Int
    /// What happens now.
    package let note: String
}
