/// How far a benchmark is.
package struct BenchmarkProgress: Sendable {
    /// Steps that are over.
    package let done: Int
    /// Steps in all.
    package let total: Int
    /// What happens now.
    package let note: String
}
