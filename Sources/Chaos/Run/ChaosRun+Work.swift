import Postgres

/// Submitting: what the services around the queue do.
extension ChaosRun {
    /// Submits the next job when it is time and the daemons do not have enough already.
    func submitIfDue(round: Int) throws {
        guard now >= submissionDue else { return }
        submissionDue = now + 1 / (round % 4 == 0 ? plan.quietJobsPerSecond : plan.jobsPerSecond)
        let live = submitter.attempt { connection in
            try connection.execute(
                "SELECT count(*) AS n FROM rewardd.job_status WHERE finished_at IS NULL"
            ).only().int("n")
        }
        guard let live, live < plan.liveJobsPerDaemon * plan.daemons else { return }
        try submit(workload.submission(nextSubmission))
    }

    private func submit(_ submission: Submission) throws {
        do {
            let job = try enqueue(submission)
            nextSubmission += 1
            jobs.append(job)
            auditor.witness.acknowledged(
                job: job,
                kind: submission.kind,
                items: submission.itemCount,
                queue: submission.queue,
                key: submission.idempotencyKey
            )
            if let seconds = submission.deadline {
                _ = submitter.attempt { connection in
                    try connection.execute(
                        """
                        SELECT rewardd.set_deadline(\(job),
                            now() + make_interval(secs => \(seconds)::float8))
                        """
                    ).count
                }
            }
            if submission.isRepeated, submission.idempotencyKey != nil {
                try repeatSubmission(submission, job)
            }
        } catch let error as PostgresError where error.isConnectionLost {
            // With a key it is asked again until the answer comes; without one nobody can know.
            if submission.idempotencyKey == nil { nextSubmission += 1 }
        } catch let error as PostgresError where Self.isPassing(error) {
            return
        }
    }

    /// The same request under the same key is the same job; another request is refused.
    private func repeatSubmission(_ submission: Submission, _ job: Int64) throws {
        let again = try enqueue(submission)
        if again != job {
            incidents.append(
                Violation(
                    invariant: "I1",
                    rule: "a request repeated under its key became another job",
                    evidence: "\(submission.idempotencyKey ?? ""): job \(job), then job \(again)"
                )
            )
        }
        do {
            let other = try enqueue(submission, options: #"{"shard_size": 11}"#)
            incidents.append(
                Violation(
                    invariant: "I1",
                    rule: "another request under a used key was accepted",
                    evidence: "\(submission.idempotencyKey ?? ""): job \(job), then job \(other)"
                )
            )
        } catch let error as PostgresError where error.sqlState == .wrongState {
            return
        }
    }

    private func enqueue(_ submission: Submission, options: String? = nil) throws -> Int64 {
        try submitter.once { connection in
            try connection.execute(
                """
                SELECT rewardd.enqueue(kind => \(submission.kind),
                    items => \(json: submission.items), task => 'image_generation',
                    model => \(Workload.model), options => \(json: options ?? submission.options),
                    queue => \(submission.queue), priority => \(submission.priority)::int,
                    run_at => now() + make_interval(secs => \(submission.delay)::float8),
                    idempotency_key => \(submission.idempotencyKey)) AS job_id
                """
            ).only().int64("job_id")
        }
    }

    /// Whether a refusal is one that a busy or restarting server may give at any time.
    private static func isPassing(_ error: PostgresError) -> Bool {
        guard let state = error.sqlState else { return false }
        return ["40", "55", "57"].contains(state.classCode)
    }
}
