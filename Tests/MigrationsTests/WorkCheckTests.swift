import Postgres
import TestSupport
import Testing

@Suite("check_shards and check_queues")
struct WorkCheckTests {
    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    @Test("find nothing where work waits for a live daemon, runs, or has ended")
    func healthy() throws {
        let daemon = try queue.register()
        try queue.enqueue(items: 40)
        try queue.enqueue(runIn: "1 h")
        let lease = try queue.claim(daemon)[0]
        let ended = try queue.enqueue()
        #expect(try queue.cancel(ended) == "cancelled")
        #expect(try queue.shardFaults() == [])
        #expect(try queue.queueFaults() == [])
        #expect(try queue.checkpoint(lease, completed: lease.items) == "ok")
        #expect(try queue.finish(lease, "done") == "ok")
        #expect(try queue.shardFaults() == [])
    }

    @Test("a shard of a daemon that is gone is orphaned once rescue is a minute late")
    func orphaned() throws {
        let daemon = try queue.register()
        let job = try queue.enqueue()
        let lease = try queue.claim(daemon)[0]
        try expire(daemon, "30 s")
        #expect(try queue.shardFaults() == [])
        try expire(daemon, "2 min")
        #expect(try queue.shardFaults() == ["orphaned \(job) \(lease.shard) \(daemon)"])
        try queue.connection.execute("SELECT rewardd.rescue()")
        #expect(try queue.shardFaults() == [])
    }

    @Test("a shard without progress is silent when patience is over")
    func silent() throws {
        let daemon = try queue.register()
        let job = try queue.enqueue(items: 2)
        let lease = try queue.claim(daemon)[0]
        try queue.connection.execute(
            "UPDATE rewardd.shard SET progress_at = now() - interval '20 min'"
        )
        #expect(try queue.shardFaults() == [])
        let fault = "silent \(job) \(lease.shard) \(daemon)"
        #expect(try queue.shardFaults(patience: "10 min") == [fault])
        #expect(try queue.checkpoint(lease, completed: [0]) == "ok")
        #expect(try queue.shardFaults(patience: "10 min") == [])
    }

    @Test("a scheduled shard is overdue when its time has passed and an idle daemon lets it lie")
    func overdue() throws {
        let daemon = try queue.register(models: ["other"])
        let job = try queue.enqueue(runIn: "1 h")
        try queue.connection.execute(
            "UPDATE rewardd.shard SET run_at = now() - interval '5 min'"
        )
        #expect(try queue.shardFaults() == [], "no daemon is idle")
        try queue.connection.execute("SELECT rewardd.heartbeat(\(daemon), true)")
        let shard = try queue.number("SELECT shard_id AS value FROM rewardd.shard")
        #expect(try queue.shardFaults() == ["overdue \(job) \(shard)"])
        #expect(try queue.claim(daemon, models: ["other"]) == [])
        #expect(try queue.shardFaults() == [])
    }

    @Test("a job without an open shard that has not ended is unsettled until it is cancelled")
    func unsettled() throws {
        let job = try queue.enqueue()
        try queue.connection.execute("UPDATE rewardd.shard SET state = 'done'")
        #expect(try queue.shardFaults() == ["unsettled \(job)"])
        #expect(try queue.cancel(job) == "cancelled")
        #expect(try queue.shardFaults() == [])
        #expect(try queue.retry(job) == 1)
    }

    @Test("work is unserved without a live, open daemon for its queue and model")
    func unserved() throws {
        try queue.enqueue(items: 40, options: #"{"shard_size": 10}"#)
        try queue.enqueue(runIn: "1 h")
        #expect(try queue.queueFaults() == ["unserved default m 4"])
        _ = try queue.register(models: ["other"])
        _ = try queue.register(queues: ["night"])
        #expect(try queue.queueFaults() == ["unserved default m 4"])
        let daemon = try queue.register()
        #expect(try queue.queueFaults() == [])
        try expire(daemon, "1 s")
        #expect(try queue.queueFaults() == ["unserved default m 4"])
        let another = try queue.register()
        try queue.connection.execute("SELECT rewardd.drain_daemon(\(another))")
        #expect(try queue.queueFaults() == ["unserved default m 4"])
    }

    @Test("training is served by those that train from its base")
    func training() throws {
        try queue.enqueueTraining()
        let daemon = try queue.register()
        #expect(try queue.queueFaults() == ["unserved default train/m 1"])
        try queue.connection.execute(
            "SELECT rewardd.set_daemon_models(\(daemon), \(["m", "train/m"]))"
        )
        #expect(try queue.queueFaults() == [])
    }

    @Test("work in a paused queue is paused")
    func paused() throws {
        _ = try queue.register()
        try queue.connection.execute("SELECT rewardd.pause_queue('default')")
        #expect(try queue.queueFaults() == [])
        try queue.enqueue()
        #expect(try queue.queueFaults() == ["paused default m 1"])
        try queue.connection.execute("SELECT rewardd.resume_queue('default')")
        #expect(try queue.queueFaults() == [])
    }

    @Test("readers, workers and administrators may ask, submitters may not; patience is checked")
    func roles() throws {
        for role in ["rewardd_read", "rewardd_work", "rewardd_admin"] {
            let user = try queue.login(role)
            #expect(try user.shardFaults() == [], "\(role)")
            #expect(try user.queueFaults() == [], "\(role)")
        }
        let submitter = try queue.login("rewardd_submit")
        let shards = try submitter.refusal { _ = try submitter.shardFaults() }
        #expect(shards?.sqlState == .insufficientPrivilege)
        let queues = try submitter.refusal { _ = try submitter.queueFaults() }
        #expect(queues?.sqlState == .insufficientPrivilege)
        let refusal = try queue.refusal { _ = try queue.shardFaults(patience: "-1 s") }
        #expect(refusal?.sqlState == .invalidParameterValue)
        #expect(refusal?.message == "patience: expected an interval from 0 on, got -00:00:01")
    }

    /// Lets the daemon's lease have ended some time ago.
    private func expire(_ daemon: Int, _ ago: String) throws {
        try queue.connection.execute(
            """
            UPDATE rewardd.daemon SET lease_until = clock_timestamp() - \(ago)::interval
            WHERE daemon_id = \(daemon)
            """
        )
    }
}
