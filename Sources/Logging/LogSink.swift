/// Where finished lines go.
package protocol LogSink: Sendable {
    /// Takes one line. Called from any thread; must neither block for long nor throw.
    func write(_ line: LogLine)
}
