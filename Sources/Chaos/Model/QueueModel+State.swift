/// The state as text, line by line as `model_state.sql` writes it.
extension QueueModel {
    /// All lines, each with the place of the shard that it is about.
    var state: [(line: String, shard: Int?)] {
        var lines: [(line: String, shard: Int?)] = jobs.map { (Self.line($0), nil) }
        for job in jobs.indices {
            lines += shards(of: job).map { (line(ofShard: $0), $0) }
        }
        for job in jobs.indices {
            for (item, result) in results[job].sorted(by: { $0.key < $1.key }) {
                let word =
                    switch result {
                    case .completed: "completed"
                    case .failed(let code): "failed \(code)"
                    }
                lines.append(("result of \(jobs[job].number) \(item) \(word)", nil))
            }
        }
        for daemon in daemons {
            let flags =
                (daemon.isStopped ? " stopped" : "") + (daemon.isDraining ? " draining" : "")
                + (daemon.isIdle ? " idle" : "")
            lines.append(("daemon \(daemon.number)\(flags)", nil))
        }
        lines.append(("judgements \(fingerprints.count)", nil))
        lines += pausedQueues.sorted().map { ("paused \($0)", nil) }
        return lines
    }

    private static func line(_ job: Job) -> String {
        let flags =
            (job.isHeld ? " held" : "") + (job.isCancelRequested ? " cancelling" : "")
            + (job.hasStarted ? " started" : "") + (job.deadline != nil ? " deadline" : "")
            + (job.hasEnded ? " ended" : "")
        return "job \(job.number) \(job.state.rawValue) \(job.request.items)/\(job.done)/"
            + "\(job.failed) shards \(job.shardsTotal)\(flags)"
    }

    private func line(ofShard place: Int) -> String {
        let shard = shards[place]
        return "shard of \(jobs[shard.job].number) \(shard.first)+\(shard.count) "
            + "\(shard.state.rawValue) d\(shard.done) f\(shard.failed) a\(shard.attempts) "
            + "c\(shard.crashes)" + (shard.isCancelRequested ? " stopping" : "")
            + (shard.token.map { " lease \($0)" } ?? "")
            + (shard.daemon.map { " by \(daemons[$0].number)" } ?? "")
    }
}
