import Postgres
import TestSupport
import Testing

@Suite("liveness")
struct LivenessTests {
    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    private func beat(_ daemon: Int, idle: Bool? = true) throws -> String {
        try queue.text("SELECT rewardd.heartbeat(\(daemon), \(idle)) AS value")
    }

    private func state(_ daemon: Int) throws -> String {
        try queue.text(
            """
            SELECT concat_ws(' ', state, stop_reason, shards_running) AS value
            FROM rewardd.daemon_status WHERE daemon_id = \(daemon)
            """
        )
    }

    @Test("a heartbeat says ok, drain or unknown")
    func heartbeat() throws {
        let daemon = try queue.register()
        #expect(try state(daemon) == "busy 0")
        #expect(try beat(daemon) == "ok")
        #expect(try state(daemon) == "idle 0")
        #expect(try beat(daemon, idle: nil) == "ok")
        #expect(try state(daemon) == "idle 0")
        try queue.connection.execute("SELECT rewardd.drain_daemon(\(daemon))")
        #expect(try beat(daemon) == "drain")
        #expect(try state(daemon) == "draining 0")
        try queue.connection.execute("SELECT rewardd.stop_daemon(\(daemon))")
        #expect(try beat(daemon) == "unknown")
        #expect(try beat(4711) == "unknown")
        #expect(try state(daemon) == "stopped stopped 0")
        let error = try queue.refusal {
            try queue.connection.execute("SELECT rewardd.drain_daemon(\(daemon))")
        }
        #expect(
            error?.message
                == "daemon \(daemon): expected a running daemon, got none with this number"
        )
    }

    @Test("two daemons of one host and process number are two, also one after the other")
    func sameName() throws {
        let first = try queue.register()
        let second = try queue.register()
        #expect(second != first)
        #expect(try beat(first) == "ok")
        try queue.enqueue()
        let lease = try #require(try queue.claim(first).first)
        try queue.kill(second)
        #expect(try beat(first) == "ok")
        #expect(try queue.checkpoint(lease, completed: [0]) == "ok")
        try queue.kill(first)
        // Back after a restart with the same name: another number, and nothing of the old one's.
        let third = try queue.register()
        #expect(third > second)
        #expect(try queue.finish(lease, "done") == "lost")
        #expect(try beat(first) == "unknown")
    }

    @Test("heartbeats update their row in place")
    func hot() throws {
        let daemon = try queue.register()
        for _ in 0..<200 { _ = try beat(daemon) }
        try queue.connection.execute("SELECT pg_stat_force_next_flush()")
        let row = try queue.connection.execute(
            """
            SELECT n_tup_upd AS updates, n_tup_hot_upd AS hot FROM pg_stat_user_tables
            WHERE relid = 'rewardd.daemon'::regclass
            """
        ).only()
        #expect(try row.int("updates") >= 200)
        // A page that another session is looking at cannot be pruned at that moment.
        #expect(try row.int("hot") * 100 >= row.int("updates") * 95)
    }

    @Test("rescue leaves living daemons alone")
    func living() throws {
        try queue.enqueue()
        let daemon = try queue.register()
        let lease = try queue.claim(daemon)[0]
        #expect(try queue.number("SELECT rewardd.rescue() AS value") == 0)
        #expect(try queue.checkpoint(lease, completed: [0]) == "ok")
    }

    @Test("rescue returns a dead daemon's shards, gives the attempt back and counts a crash")
    func dead() throws {
        let job = try queue.enqueue(items: 2, options: #"{"shard_size": 1, "max_attempts": 1}"#)
        let daemon = try queue.register()
        let leases = try queue.claim(daemon, max: 2)
        #expect(try queue.kill(daemon) == 2)
        #expect(try queue.shards(job) == ["ready 0+1 d0 f0 a0 c1", "ready 1+1 d0 f0 a0 c1"])
        #expect(try state(daemon) == "stopped lease_expired 0")
        #expect(try beat(daemon) == "unknown")
        #expect(try queue.checkpoint(leases[0], completed: [0]) == "lost")
        #expect(try queue.events(job).suffix(2) == ["rescued", "rescued"])
        #expect(try queue.number("SELECT rewardd.rescue() AS value") == 0)
    }

    @Test("a lost lock and 3.5 silent seconds mean death, either alone does not")
    func lock() throws {
        let daemon = try queue.register()
        func age() throws {
            try queue.connection.execute(
                "UPDATE rewardd.daemon SET beat_at = now() - interval '4 s'"
            )
            try queue.connection.execute("SELECT rewardd.rescue()")
        }
        // Never held a lock: only the lease counts.
        try age()
        #expect(try state(daemon) == "busy 0")
        var holder: QueueFixture? = try queue.another()
        #expect(
            try holder?.text("SELECT rewardd.hold_daemon_lock(\(daemon))::text AS value") == "true"
        )
        try age()
        #expect(try state(daemon) == "busy 0")
        #expect(
            try queue.text("SELECT rewardd.hold_daemon_lock(\(daemon))::text AS value") == "false"
        )
        #expect(
            try queue.text("SELECT rewardd.hold_daemon_lock(4711)::text AS value") == "false"
        )
        let backend = Int(try #require(holder).connection.backendPID)
        holder = nil
        // The server takes a moment to notice; waiting for its row is waiting for the event.
        while try queue.number(
            "SELECT count(*) AS value FROM pg_stat_activity WHERE pid = \(backend)"
        ) > 0 {}
        _ = try beat(daemon)
        try queue.connection.execute("SELECT rewardd.rescue()")
        #expect(try state(daemon) == "idle 0")
        try age()
        #expect(try state(daemon) == "stopped connection_lost 0")
    }

    @Test("the third crash of a single item without progress fails it by name")
    func poison() throws {
        let job = try queue.enqueue()
        for crash in 1...3 {
            let daemon = try queue.register()
            #expect(try queue.claim(daemon).count == 1)
            #expect(try queue.kill(daemon) == 1)
            if crash < 3 {
                #expect(try queue.shards(job) == ["ready 0+1 d0 f0 a0 c\(crash)"])
            }
        }
        #expect(try queue.results(job) == ["0 failed daemon_crashed"])
        #expect(try queue.status(job) == "failed 1 0 1")
    }

    @Test("progress sets the count of crashes to zero")
    func progress() throws {
        let job = try queue.enqueue(items: 5)
        for item in 0..<5 {
            let daemon = try queue.register()
            let lease = try queue.claim(daemon)[0]
            #expect(try queue.checkpoint(lease, completed: [item]) == "ok")
            #expect(try queue.kill(daemon) == 1)
        }
        #expect(try queue.status(job) == "completed 5 5 0")
    }

    @Test("a poison item is isolated by halving, and every other item completes")
    func halving() throws {
        let job = try queue.enqueue(items: 16)
        let poison = 11
        var crashes = 0
        while try !queue.status(job).hasPrefix("completed"), crashes < 20 {
            let daemon = try queue.register()
            let lease = try queue.claim(daemon)[0]
            if lease.items.contains(poison) {
                crashes += 1
                try queue.kill(daemon)
            } else {
                _ = try queue.checkpoint(lease, completed: lease.items)
                #expect(try queue.finish(lease, "done") == "ok")
            }
        }
        // Three with the whole shard, then one for each halving of 16 items.
        #expect(crashes == 3 + 4)
        #expect(try queue.status(job) == "completed 16 15 1")
        #expect(try queue.results(job)[poison] == "\(poison) failed daemon_crashed")
        #expect(try queue.retry(job) == 1)
        #expect(try queue.shards(job).last == "ready 11+1 d0 f0 a0 c0")
    }

    @Test("leave releases what the daemon holds, without a crash")
    func leave() throws {
        let job = try queue.enqueue()
        let daemon = try queue.register()
        let lease = try queue.claim(daemon)[0]
        try queue.connection.execute("SELECT rewardd.stop_daemon(\(daemon))")
        #expect(try queue.shards(job) == ["ready 0+1 d0 f0 a0 c0"])
        #expect(try queue.checkpoint(lease, completed: [0]) == "lost")
    }

    @Test("a claim that commits after its daemon was buried is found by the next rescue")
    func lateClaim() throws {
        let job = try queue.enqueue()
        let daemon = try queue.register()
        let other = try queue.another()
        try other.connection.execute("BEGIN")
        #expect(try other.claim(daemon).count == 1)
        // The claim has changed the daemon's row only if it became idle, so it is not locked here.
        #expect(try queue.kill(daemon) == 0)
        try other.connection.execute("COMMIT")
        #expect(try queue.shards(job) == ["running 0+1 d0 f0 a1 c0"])
        #expect(try queue.number("SELECT rewardd.rescue() AS value") == 1)
        #expect(try queue.shards(job) == ["ready 0+1 d0 f0 a0 c1"])
    }

    @Test("a locked job does not keep the others from rescue, nor its daemon from being buried")
    func lockedJob() throws {
        let locked = try queue.enqueue()
        let free = try queue.enqueue()
        let daemon = try queue.register()
        let leases = try queue.claim(daemon, max: 2)
        #expect(leases.count == 2)
        // The shard of the locked job has only to be ended, and so may its job.
        #expect(try queue.checkpoint(leases[0], completed: [0]) == "ok")
        let other = try queue.another()
        try other.connection.execute("BEGIN")
        try other.connection.execute(
            "SELECT FROM rewardd.job WHERE job_id = \(locked) FOR UPDATE"
        )
        #expect(try queue.kill(daemon) == 1)
        #expect(try state(daemon) == "stopped lease_expired 1")
        #expect(try queue.shards(free) == ["ready 0+1 d0 f0 a0 c1"])
        #expect(try queue.shards(locked) == ["running 0+1 d1 f0 a1 c0"])
        try other.connection.execute("COMMIT")
        #expect(try queue.number("SELECT rewardd.rescue() AS value") == 1)
        #expect(try queue.shards(locked).allSatisfy { $0.hasPrefix("done") })
    }

    @Test("a caller's open transaction over a job of many shards does not use up a rescue's time")
    func openTransaction() throws {
        let locked = try queue.enqueue(items: 60, options: #"{"shard_size": 1}"#)
        let free = try queue.enqueue()
        let daemon = try queue.register()
        #expect(try queue.claim(daemon, max: 61).count == 61)
        _ = try queue.text("SELECT rewardd.cancel(\(locked))::text AS value")
        let other = try queue.another()
        try other.connection.execute("BEGIN")
        try other.connection.execute(
            "SELECT FROM rewardd.job WHERE job_id = \(locked) FOR UPDATE"
        )
        // At a quarter of a second for each shard it was fifteen.
        try queue.connection.execute("SET statement_timeout = '5s'")
        #expect(try queue.kill(daemon) == 1)
        #expect(try state(daemon) == "stopped lease_expired 60")
        #expect(try queue.shards(free) == ["ready 0+1 d0 f0 a0 c1"])
        try other.connection.execute("ROLLBACK")
        #expect(try queue.number("SELECT rewardd.rescue() AS value") == 60)
    }

    @Test("two rescuers and a finishing daemon agree", arguments: 1...5)
    func rescuers(round: Int) throws {
        let job = try queue.enqueue(items: 6, options: #"{"shard_size": 1}"#)
        let daemon = try queue.register()
        let leases = try queue.claim(daemon, max: 6)
        let database = queue.database
        let counts = try onThreads(3) { index in
            let own = try QueueFixture(database: database)
            guard index == 0 else { return try own.kill(daemon) }
            return try leases.count { lease in
                _ = try own.checkpoint(lease, completed: lease.items)
                return try own.finish(lease, "done") == "ok"
            }
        }
        let rest = try queue.number("SELECT rewardd.rescue() AS value")
        // A shard rescued after its checkpoint is done: nothing is counted twice or left behind.
        #expect(counts.reduce(rest, +) == 6)
        #expect(try queue.shards(job).allSatisfy { !$0.hasPrefix("running") })
    }
}
