import Postgres

extension JobQueue {
    /// The judgements stored under these fingerprints (32 bytes each), in no particular order. They stay
    /// stored for as long as the running job `job`, which is going to rest on them. Repeated.
    package func findJudgements(
        _ fingerprints: [[UInt8]],
        job: Int64
    ) async throws -> [JudgementRow] {
        guard !fingerprints.isEmpty else { return [] }
        return try await session.withRetry(retry) { connection in
            try connection.execute(
                """
                SELECT * FROM rewardd.find_judgements(
                    fingerprints => \(fingerprints), job_id => \(job))
                """
            ).map { try JudgementRow($0) }
        }
    }

    /// The uploaded file with this SHA-256 (32 bytes), nil for none. Repeated.
    package func media(digest: [UInt8]) async throws -> [UInt8]? {
        try await session.withRetry(retry) { connection in
            try connection.execute("SELECT rewardd.get_media(digest => \(digest)) AS bytes")
                .only().bytesIfPresent("bytes")
        }
    }
}
