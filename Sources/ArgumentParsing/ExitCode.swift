/// What a command line tool of this package tells its caller when it ends.
///
/// The numbers are part of the interface: scripts branch on them.
package enum ExitCode: Int32, Sendable, CaseIterable {
    /// Everything asked for was done.
    case success = 0
    /// The job or check that was asked about failed, or an error fits no other code.
    case failure = 1
    /// The command line, an input file or an argument was wrong; nothing was changed.
    case usage = 2
    /// A job, queue, daemon or file does not exist.
    case notFound = 3
    /// The thing exists but is not in a state that allows the request.
    case conflict = 4
    /// The database could not be reached, or the connection was lost.
    case databaseUnreachable = 5
    /// The database role may not do this.
    case permissionDenied = 6
    /// The time given with `--timeout` passed first.
    case timedOut = 7
    /// Ctrl-C or SIGTERM ended the tool.
    case interrupted = 130
}
