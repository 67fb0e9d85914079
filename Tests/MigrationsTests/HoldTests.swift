import Postgres
import TestSupport
import Testing

@Suite("hold, release and cancel by force")
struct HoldTests {
    let queue: QueueFixture
    let daemon: Int

    init() throws {
        queue = try QueueFixture()
        daemon = try queue.register()
    }

    @Test(
        "a held job waits until it is released",
        arguments: [("0 s", "ready"), ("1 hour", "scheduled")]
    )
    func waiting(runIn: String, state: String) throws {
        let job = try queue.enqueue(items: 40, runIn: runIn)
        #expect(try queue.hold(job) == "held")
        #expect(try queue.hold(job) == "held")
        #expect(try queue.status(job) == "held 40 0 0")
        #expect(try queue.claim(daemon).isEmpty)
        #expect(try queue.release(job) == state)
        #expect(try queue.claim(daemon).isEmpty == (state == "scheduled"))
        #expect(try queue.events(job).prefix(3) == ["enqueued", "held", "hold_released"])
        let times = try queue.number(
            "SELECT count(held_at) AS value FROM rewardd.job_status WHERE job_id = \(job)"
        )
        #expect(times == 0)
    }

    @Test("hold stops what runs, keeps its results and costs no attempt")
    func running() throws {
        let job = try queue.enqueue(items: 4, options: #"{"shard_size": 2}"#)
        let lease = try queue.claim(daemon)[0]
        try queue.connection.execute("LISTEN \(identifier: "rewardd_daemon_\(daemon)")")
        #expect(try queue.hold(job) == "held")
        let heard = try queue.connection.waitForNotification(timeout: .seconds(5))
        #expect(heard.map(\.payload) == ["cancel"])
        let stopping = try queue.list(
            "SELECT s::text AS value FROM rewardd.cancelled_shards(\(daemon)) AS s"
        )
        #expect(stopping == ["\(lease.shard)"])
        #expect(try queue.checkpoint(lease, completed: [0]) == "cancel")
        #expect(try queue.finish(lease, "release") == "ok")
        #expect(try queue.shards(job) == ["held 0+2 d1 f0 a0 c0", "held 2+2 d0 f0 a0 c0"])
        #expect(try queue.release(job) == "ready")
        #expect(try queue.claim(daemon)[0].items == [1])
        #expect(try queue.status(job) == "running 4 1 0")
    }

    @Test(
        "a shard that comes back to a held job is held, however it comes back",
        arguments: ["release", "retry", "die", "leave"]
    )
    func outcomes(outcome: String) throws {
        let job = try queue.enqueue(items: 2)
        let lease = try queue.claim(daemon)[0]
        _ = try queue.hold(job)
        switch outcome {
        case "die": try queue.kill(daemon)
        case "leave": try queue.connection.execute("SELECT rewardd.stop_daemon(\(daemon))")
        default: #expect(try queue.finish(lease, outcome) == "ok")
        }
        #expect(try queue.status(job) == "held 2 0 0")
        #expect(try queue.shards(job)[0].hasPrefix("held 0+2"))
        let other = try queue.register()
        #expect(try queue.claim(other).isEmpty)
        _ = try queue.release(job)
    }

    @Test("a shard that kills daemons is halved while its job is held, and its halves are held")
    func halves() throws {
        let job = try queue.enqueue(items: 4)
        for _ in 0..<2 {
            let victim = try queue.register()
            _ = try queue.claim(victim)
            try queue.kill(victim)
        }
        let victim = try queue.register()
        _ = try queue.claim(victim)
        _ = try queue.hold(job)
        try queue.kill(victim)
        let shards = try queue.shards(job)
        #expect(shards.map { $0.prefix(8) } == ["failed 0", "held 0+2", "held 2+2"], "\(shards)")
    }

    @Test("a release before the daemon has stopped lets it go on")
    func release() throws {
        let job = try queue.enqueue(items: 2)
        let lease = try queue.claim(daemon)[0]
        _ = try queue.hold(job)
        #expect(try queue.release(job) == "running")
        #expect(try queue.checkpoint(lease, completed: [0, 1]) == "ok")
        #expect(try queue.finish(lease, "done") == "ok")
        #expect(try queue.status(job) == "completed 2 2 0")
    }

    @Test("a job whose last items finish while it is being held ends")
    func ends() throws {
        let job = try queue.enqueue(items: 2)
        let lease = try queue.claim(daemon)[0]
        _ = try queue.hold(job)
        #expect(try queue.checkpoint(lease, completed: [0, 1]) == "cancel")
        #expect(try queue.finish(lease, "release") == "ok")
        #expect(try queue.status(job) == "completed 2 2 0")
    }

    @Test("a held job can be cancelled, and then not be released")
    func cancelled() throws {
        let job = try queue.enqueue(items: 4, options: #"{"shard_size": 2}"#)
        let lease = try queue.claim(daemon)[0]
        _ = try queue.hold(job)
        #expect(try queue.cancel(job) == "running")
        let refusals = [
            try queue.refusal { _ = try queue.release(job) },
            try queue.refusal { _ = try queue.hold(job) },
        ]
        #expect(
            refusals.map { $0?.message } == [
                "job \(job): expected a held job, got one that is running",
                "job \(job): expected a job that has not ended, got one that is being cancelled",
            ]
        )
        #expect(refusals.allSatisfy { $0?.sqlState == .wrongState })
        #expect(try queue.finish(lease, "release") == "cancel")
        #expect(try queue.status(job) == "cancelled 4 0 0")
    }

    @Test("cancel by force ends the job at once and makes the lease worthless")
    func force() throws {
        let job = try queue.enqueue(items: 4, options: #"{"shard_size": 2}"#)
        let leases = try queue.claim(daemon, max: 2)
        #expect(leases.count == 2)
        #expect(try queue.checkpoint(leases[0], completed: [0, 1]) == "ok")
        #expect(try queue.cancel(job) == "running")
        #expect(try queue.cancel(job, force: true) == "cancelled")
        #expect(try queue.checkpoint(leases[1], completed: [2]) == "lost")
        #expect(try queue.finish(leases[1], "release") == "lost")
        #expect(try queue.status(job) == "cancelled 4 2 0")
        #expect(try queue.shards(job).map { $0.prefix(4) } == ["done", "canc"])
        #expect(try queue.events(job).count { $0 == "revoked" } == 2)
        #expect(try queue.cancel(job, force: true) == "cancelled")
        #expect(try queue.retry(job) == 2)
    }

    @Test("a submitter holds and releases its own jobs only")
    func owners() throws {
        let alice = try queue.login("rewardd_submit")
        let bob = try queue.login("rewardd_submit")
        let reader = try queue.login("rewardd_read")
        let job = try alice.enqueue()
        for statement in ["hold", "release"] {
            let foreign = try bob.refusal {
                try bob.connection.execute("SELECT rewardd.\(identifier: statement)(\(job))")
            }
            #expect(foreign?.sqlState == .noDataFound)
            let denied = try reader.refusal {
                try reader.connection.execute("SELECT rewardd.\(identifier: statement)(\(job))")
            }
            #expect(denied?.sqlState == .insufficientPrivilege)
        }
        #expect(try alice.hold(job) == "held")
        #expect(try alice.release(job) == "ready")
    }
}
