import Postgres

/// What the bench has seen with its own eyes and must find again. It is kept in the memory of the bench, so
/// that no crash of the server can take the evidence together with the deed.
package struct Witness: Sendable {
    private struct Subject: Hashable {
        let kind: String
        let key: String
    }

    private var digests: [Subject: String] = [:]

    /// A witness that has seen nothing.
    package init() {}

    /// How many things it has seen of one kind.
    package func count(_ kind: String) -> Int { digests.keys.count { $0.kind == kind } }

    /// Remembers something committed; what it saw first stands.
    package mutating func saw(_ kind: String, _ key: String, _ digest: String) {
        let subject = Subject(kind: kind, key: key)
        if digests[subject] == nil { digests[subject] = digest }
    }

    /// A submission that the database acknowledged.
    package mutating func acknowledged(
        job: Int64,
        kind: String,
        items: Int,
        queue: String,
        key: String?
    ) {
        saw("job", String(job), "\(kind) of \(items)")
        if let key { saw("key", "\(queue)/\(key)", String(job)) }
    }

    /// Writes all it has seen into `chaos.witness`, in place of what is there.
    func testify(_ connection: Connection) throws(PostgresError) {
        let subjects = Array(digests)
        let kinds = subjects.map(\.key.kind)
        let keys = subjects.map(\.key.key)
        let values = subjects.map(\.value)
        _ = try connection.execute("TRUNCATE chaos.witness")
        _ = try connection.execute(
            """
            INSERT INTO chaos.witness (kind, key, digest)
            SELECT * FROM unnest(\(kinds)::text[], \(keys)::text[], \(values)::text[])
            """
        )
    }
}
