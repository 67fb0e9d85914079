import Postgres

/// The raw limit of a latency: a committed UPDATE of one row by its key, on a connection of its own.
struct PlainUpdate {
    /// What it is, in words.
    static let title = "UPDATE of one row by its key"

    private let connection: Connection

    /// Makes the table.
    init(_ database: BenchmarkDatabase) throws {
        connection = try database.superuser()
        try connection.executeScript(
            """
            CREATE TABLE public.plain_row (id int PRIMARY KEY, n bigint NOT NULL);
            INSERT INTO public.plain_row SELECT i, 0 FROM generate_series(1, 1000) AS i
            """
        )
    }

    /// One update, from call to answer.
    func milliseconds() throws -> Double {
        let row = Int.random(in: 1...1000)
        let start = ContinuousClock.now
        try connection.execute("UPDATE public.plain_row SET n = n + 1 WHERE id = \(row)")
        return start.duration(to: .now) / .milliseconds(1)
    }
}
