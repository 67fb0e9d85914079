extension Connection {
    /// Whether a pooler such as PgBouncer stands between: the process number that libpq was told when it
    /// connected is then not that of the process that runs the statements. Costs one round trip.
    ///
    /// Behind a pooler in transaction mode what belongs to a session (LISTEN, advisory locks of a session)
    /// stays with whichever server connection ran the statement. Its other modes are not told apart.
    package func isPooled() throws(PostgresError) -> Bool {
        try execute("SELECT pg_backend_pid() AS pid").only().int("pid") != Int(backendPID)
    }
}
