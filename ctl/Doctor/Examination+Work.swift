import ArgumentParsing
import JSONReading
import Postgres

// MARK: - Work

extension Examination {
    /// Whether those who are to work are alive. A daemon beats every three seconds.
    func daemonFindings() throws -> [Finding] {
        try api.daemons().compactMap { row in
            let silence = row["_beat_age"]?.double ?? 0
            let held = row["shards_running"]?.integer ?? 0
            var finding = Finding(
                severity: .warning,
                check: "daemons",
                subject: "daemon \(row["daemon_id"]?.cell ?? "") on \(row["host"]?.cell ?? "") "
                    + "(pid \(row["pid"]?.cell ?? ""))",
                expected: "a heartbeat every 3s",
                found: "",
                remedy: ""
            )
            if row["state"]?.text == "dead" {
                finding.severity = held > 0 ? .problem : .warning
                finding.found =
                    "none for \(Self.age(silence)): dead, and nobody took over the "
                    + "\(NumberText.counted(held, "shard")) it held"
                finding.remedy = "Start a rewardd: any that lives takes over within five seconds."
            } else if silence > 7 {
                finding.found =
                    "none for \(Self.age(silence)), holding "
                    + NumberText.counted(held, "shard")
                finding.remedy =
                    "Look at its host, its log and its connection. After 15s others take over what "
                    + "it holds."
            } else if silence < -ClockReading.tolerance {
                finding.severity = .problem
                finding.found =
                    "the last one \(Self.age(-silence)) in the future: the clock of the "
                    + "database went back"
                finding.remedy = """
                    Let the server keep time by NTP. Should this daemon be gone, release what it \
                    holds by the statement, as a member of rewardd_work: until then it counts as \
                    alive.
                    """
                finding.statement = "SELECT rewardd.stop_daemon(\(row["daemon_id"]?.cell ?? ""))"
            } else {
                return nil
            }
            return finding
        }
    }

    /// Whether somebody will take the work that waits, and remove what is too old.
    func queueFindings() throws -> [Finding] {
        try waitingFindings() + retentionFindings()
    }

    private func retentionFindings() throws -> [Finding] {
        try api.overdueRemovals().compactMap { row in
            // Daemons look once a minute, and remove a large job over many calls.
            guard let late = row["_age"]?.double, late > 3600 else { return nil }
            return Finding(
                severity: .warning,
                check: "queues",
                subject: "queue '\(row["name"]?.cell ?? "")'",
                expected: "that jobs past their retention are removed within an hour",
                found: "\(NumberText.counted(row["jobs"]?.integer ?? 0, "job")), the oldest "
                    + "overdue for \(Self.age(late))",
                remedy:
                    "Start a rewardd, or look in the logs for 'nothing pruned'. 'rewardctl prune' "
                    + "removes them by hand."
            )
        }
    }

    private func waitingFindings() throws -> [Finding] {
        try api.queueFaults().map { row in
            let queue = row["queue"]?.cell ?? ""
            let model = row["model"]?.cell ?? ""
            let shards = NumberText.counted(row["shards"]?.integer ?? 0, "shard")
            let age = Self.age(row["_age"]?.double ?? 0)
            if row["fault"]?.text == "paused" {
                return Finding(
                    severity: .note,
                    check: "queues",
                    subject: "queue '\(queue)', model '\(model)'",
                    expected: "that \(shards) may start",
                    found: "paused for \(age)",
                    remedy: "'rewardctl queue resume \(queue)' opens it."
                )
            }
            return Finding(
                severity: .problem,
                check: "queues",
                subject: "queue '\(queue)', model '\(model)'",
                expected: "a live daemon that works this queue with this model",
                found: "none; \(shards) waiting, the oldest for \(age)",
                remedy: "Start a rewardd that offers it ('rewardctl get daemons' shows what is "
                    + "offered), or cancel the jobs."
            )
        }
    }

    /// Whether work that was started goes on.
    func shardFindings() throws -> [Finding] {
        try api.shardFaults(patience: shardPatience).map { row in
            let job = row["job_id"]?.cell ?? ""
            let shard = row["shard_id"]?.integer.map { "shard \($0) of " } ?? ""
            let daemon = row["daemon_id"]?.cell ?? ""
            let age = Self.age(row["_age"]?.double ?? 0)
            var finding = Finding(
                severity: .problem,
                check: "shards",
                subject: "\(shard)job \(job)",
                expected: "",
                found: "",
                remedy: ""
            )
            switch row["fault"]?.text {
            case "orphaned":
                finding.expected = "a live daemon that runs it"
                finding.found = "daemon \(daemon) is gone; no progress for \(age)"
                finding.remedy = "Start a rewardd: any that lives takes over within five seconds."
            case "silent":
                finding.severity = .warning
                finding.expected = "progress within \(DurationText.describe(shardPatience))"
                finding.found = "none for \(age), although daemon \(daemon) is alive"
                finding.remedy =
                    "Look at the log of daemon \(daemon); restarting it gives the shard to another."
            case "overdue":
                finding.severity = .warning
                finding.expected = "an idle daemon to take it when its time comes"
                finding.found = "that was \(age) ago"
                finding.remedy = "Look at the logs of the idle daemons."
            default:
                finding.expected = "an end, since no shard of it is open"
                finding.found = "none; submitted \(age) ago"
                finding.remedy =
                    "'rewardctl cancel \(job)' ends it, then 'rewardctl retry \(job)' runs what is "
                    + "missing."
            }
            return finding
        }
    }
}
