/// How a connection behaves when the server or the network does not answer. What the database URL
/// says itself (for example `?connect_timeout=3`) wins over these.
package struct ConnectionOptions: Sendable {
    /// Longest wait for each host of the URL; libpq rounds up to whole seconds, at least 2.
    package var connectTimeout: Duration = .seconds(5)
    /// Longest run of one statement on the server; zero means no limit.
    package var statementTimeout: Duration = .seconds(30)
    /// Longest wait for one lock; zero means no limit.
    package var lockTimeout: Duration = .seconds(2)
    /// The server ends a session that leaves a transaction open this long; zero means no limit.
    package var idleInTransactionTimeout: Duration = .seconds(10)
    /// Longest wait for an answer, after which the connection counts as lost; zero means no limit. Longer than
    /// the server's own limit on statements, so that it meets only a server, a pooler or a network that is
    /// silent.
    package var answerTimeout: Duration = .seconds(40)
    /// Refuse a server that only reads (a standby), and reconnect when the server turns into one.
    package var requiresReadWrite = true

    package init() {}

    /// No limit on statements and locks: for migrations and other commands a person watches.
    package static var patient: ConnectionOptions {
        var options = ConnectionOptions()
        options.statementTimeout = .zero
        options.lockTimeout = .zero
        options.idleInTransactionTimeout = .zero
        options.answerTimeout = .zero
        return options
    }

    /// The `options` parameter of the start-up packet. DateStyle and bytea_output fix the forms
    /// that `Row` reads.
    var serverSettings: String {
        [
            "-c statement_timeout=\(milliseconds(statementTimeout))",
            "-c lock_timeout=\(milliseconds(lockTimeout))",
            "-c idle_in_transaction_session_timeout=\(milliseconds(idleInTransactionTimeout))",
            "-c DateStyle=ISO",
            "-c bytea_output=hex",
        ].joined(separator: " ")
    }

    var connectTimeoutSeconds: Int {
        max(
            2,
            Int(connectTimeout.components.seconds)
                + (connectTimeout.components.attoseconds > 0 ? 1 : 0)
        )
    }

    private func milliseconds(_ duration: Duration) -> Int64 {
        let parts = duration.components
        return max(0, parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000)
    }
}
