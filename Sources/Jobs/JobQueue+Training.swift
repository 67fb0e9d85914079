import Postgres

extension JobQueue {
    /// Records how far a training is. Repeated until the database answers: a report that is stored
    /// twice does no harm.
    package func reportProgress(
        _ lease: ShardLease,
        _ progress: TrainingProgressRow
    ) async throws -> CheckpointReply {
        let data = progress.json
        return try await session.withRetry(retry) { connection in
            let row = try connection.execute(
                """
                SELECT rewardd.report_progress(shard_id => \(lease.shardID),
                    lease_token => \(lease.token), data => \(json: data)) AS reply
                """
            ).only()
            return try reply(
                row.text("reply"),
                of: "report_progress",
                expected: "ok, cancel or lost"
            )
        }
    }

    /// Records the model that a train job has made; name and base are the job's. Repeated.
    ///
    /// - Parameter baseDigest: SHA-256 of the base's files (32 bytes), nil where it is not known.
    /// - Returns: Whether the lease still held; nothing is recorded otherwise.
    package func registerModel(
        _ lease: ShardLease,
        _ model: TrainedModelRow,
        host: String,
        baseDigest: [UInt8]?
    ) async throws -> Bool {
        try await session.withRetry(retry) { connection in
            let row = try connection.execute(
                """
                SELECT rewardd.register_model(shard_id => \(lease.shardID),
                    lease_token => \(lease.token), digest => \(model.digest),
                    directory => \(model.directory), host => \(host),
                    base_digest => \(baseDigest)) AS reply
                """
            ).only()
            let answer: CheckpointReply = try reply(
                row.text("reply"),
                of: "register_model",
                expected: "ok or lost"
            )
            return answer == .ok
        }
    }

    /// Announces what a daemon can run from now on. Repeated.
    ///
    /// - Returns: False when the database does not know the daemon any more.
    @discardableResult
    package func setModels(daemonID: Int64, models: [String]) async throws -> Bool {
        try await session.withRetry(retry) { connection in
            try connection.execute(
                """
                SELECT rewardd.set_daemon_models(
                    daemon_id => \(daemonID), models => \(models)) AS known
                """
            ).only().bool("known")
        }
    }

    /// Those of the jobs whose work nobody will take up again: completed or cancelled. Tried once.
    package func settledJobs(among ids: [Int64]) async throws -> [Int64] {
        guard !ids.isEmpty else { return [] }
        let texts = ids.map(String.init)
        return try await session.run { connection in
            try connection.execute(
                """
                SELECT job_id FROM rewardd.job_status
                WHERE job_id = ANY (\(texts)::bigint[])
                    AND state::text IN ('completed', 'cancelled')
                """
            ).map { try $0.int64("job_id") }
        }
    }
}
