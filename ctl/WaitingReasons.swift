import ArgumentParsing
import JSONReading

/// Why a job is not running, as sentences with a way out, the first one being what stops it first.
struct WaitingReasons {
    let job: JobSummary
    /// When the job may start.
    let runAt: String?
    /// Seconds until then; negative when that has passed.
    let waitSeconds: Double
    /// The job's row of `rewardd.queue_status`; nil when it may not be seen.
    let queue: JSONNode?
    /// Rows of `rewardd.daemon_status` of daemons that have not stopped; nil when they may not be
    /// seen.
    let daemons: [JSONNode]?
    /// Rows of `rewardd.engine_status`; nil when they may not be seen.
    let engines: [JSONNode]?

    /// The reasons.
    var sentences: [String] {
        if job.state == "held" {
            return ["It is held. 'rewardctl release \(job.id)' takes it up again."]
        }
        var reasons: [String] = []
        if waitSeconds > 0 {
            let moment = runAt.map(AgeText.moment) ?? "later"
            reasons.append(
                "It is scheduled for \(moment), in "
                    + "\(DurationText.describe(.seconds(waitSeconds.rounded())))."
            )
        }
        if let pausedAt = queue?["paused_at"]?.text {
            reasons.append(
                "Queue '\(job.queue)' is paused since \(AgeText.moment(pausedAt)). "
                    + "'rewardctl queue resume \(job.queue)' opens it."
            )
        }
        if let sentence = limitReason { reasons.append(sentence) }
        if let sentence = daemonReason { reasons.append(sentence) }
        return reasons
    }

    /// That the queue runs as many shards as it may, if it does.
    private var limitReason: String? {
        guard let limit = queue?["max_running"]?.integer, let running = queue?["running"]?.integer,
            running >= limit
        else { return nil }
        return "Queue '\(job.queue)' runs \(NumberText.counted(running, "shard")), and may run "
            + "\(limit) at once. 'rewardctl queue set \(job.queue) --max-running N' changes that."
    }

    private var daemonReason: String? {
        guard let daemons else { return nil }
        let live = daemons.filter { $0["state"]?.text != "dead" }
        if live.isEmpty { return "No daemon is running. Start rewardd." }
        let able = live.filter { Self.holds($0["models"], job.claimLabel) }
        if able.isEmpty { return unable(live) }
        let assigned = able.filter { Self.holds($0["queues"], job.queue) }
        if assigned.isEmpty {
            let what = job.isTraining ? "trains from" : "offers"
            return "No daemon that \(what) model '\(job.model)' works queue '\(job.queue)'."
        }
        let open = assigned.filter { $0["draining"] != .bool(true) }
        if open.isEmpty { return "Every daemon that could run it is draining." }
        if waitSeconds > 0 || queue?["paused_at"]?.text != nil || limitReason != nil { return nil }
        if let sentence = engineReason(open) { return sentence }
        let ids = open.compactMap { $0["daemon_id"]?.cell }.joined(separator: ", ")
        return open.count == 1
            ? "Daemon \(ids) could run it and has other work first, or is about to start it."
            : "Daemons \(ids) could run it and have other work first, or are about to start it."
    }

    /// That the server of the job's model, or of its policy, gives no answers to any of the daemons.
    private func engineReason(_ daemons: [JSONNode]) -> String? {
        let models = [job.model, job.policy].compactMap(\.self)
        let silent = daemons.map { daemon in
            engines?.first {
                $0["daemon_id"]?.cell == daemon["daemon_id"]?.cell
                    && models.contains($0["model"]?.text ?? "")
                    && $0["state"]?.text == "unreachable"
            }
        }
        guard let engine = silent.first ?? nil, !silent.contains(where: { $0 == nil }) else {
            return nil
        }
        let ids = daemons.compactMap { $0["daemon_id"]?.cell }.joined(separator: ", ")
        let model = engine["model"]?.text ?? job.model
        var error = engine["error"]?.text ?? "no answer"
        while error.hasSuffix(".") { error.removeLast() }
        return
            "The server of model '\(model)' does not answer daemon \(ids), which asks again until it "
            + "does: \(error)."
    }

    /// Why none of the daemons could ever run the job, and what they could.
    private func unable(_ daemons: [JSONNode]) -> String {
        let labels = Set(daemons.flatMap { Self.texts($0["models"]) }).sorted()
        func list(_ names: [String]) -> String {
            names.isEmpty ? "none" : names.joined(separator: ", ")
        }
        guard job.isTraining else {
            let names = labels.filter { !$0.hasPrefix("train/") && !$0.hasPrefix("sample/") }
            if let policy = job.policy {
                return "No running daemon offers both model '\(job.model)' and '\(policy)', which "
                    + "candidates are sampled from (offered: \(list(names)))."
            }
            return "No running daemon offers model '\(job.model)' (offered: \(list(names)))."
        }
        let bases = labels.filter { $0.hasPrefix("train/") }.map { String($0.dropFirst(6)) }
        return "No running daemon trains from model '\(job.model)' (bases: \(list(bases))). Set "
            + "training.directory where one should."
    }

    private static func texts(_ node: JSONNode?) -> [String] {
        guard case .array(let elements) = node else { return [] }
        return elements.map(\.cell)
    }

    private static func holds(_ node: JSONNode?, _ name: String) -> Bool {
        texts(node).contains(name)
    }
}
