import Postgres
import TestSupport
import Testing

@Suite("deadlines")
struct DeadlineTests {
    let queue: QueueFixture
    let daemon: Int

    init() throws {
        queue = try QueueFixture()
        daemon = try queue.register()
    }

    /// Sets a deadline, and takes it for passed without waiting.
    private func passDeadline(_ job: Int) throws {
        try queue.connection.execute(
            "SELECT rewardd.set_deadline(\(job), now() + interval '1 hour')"
        )
        try queue.connection.execute(
            "UPDATE rewardd.job SET deadline_at = clock_timestamp() WHERE job_id = \(job)"
        )
    }

    private func rescue() throws { _ = try queue.number("SELECT rewardd.rescue() AS value") }

    @Test("a job ends at its deadline, whether it waits or is held", arguments: [false, true])
    func waiting(isHeld: Bool) throws {
        let job = try queue.enqueue(items: 20)
        if isHeld { _ = try queue.hold(job) }
        try passDeadline(job)
        let other = try queue.enqueue()
        try rescue()
        #expect(try queue.status(job) == "cancelled 20 0 0")
        #expect(try queue.status(other) == "ready 1 0 0")
        #expect(try queue.events(job).suffix(2) == ["deadline_passed", "cancelled"])
        let error = try queue.text(
            "SELECT error AS value FROM rewardd.job_status WHERE job_id = \(job)"
        )
        #expect(error.hasPrefix("cancelled: its deadline was "))
    }

    @Test("daemons of a job past its deadline are told to stop, and its results are kept")
    func running() throws {
        let job = try queue.enqueue(items: 4)
        let lease = try queue.claim(daemon)[0]
        #expect(try queue.checkpoint(lease, completed: [0]) == "ok")
        try passDeadline(job)
        try rescue()
        try rescue()
        #expect(try queue.checkpoint(lease, completed: [1]) == "cancel")
        #expect(try queue.finish(lease, "release") == "cancel")
        #expect(try queue.status(job) == "cancelled 4 2 0")
        #expect(try queue.events(job).count { $0 == "deadline_passed" } == 1)
    }

    @Test("a locked job keeps no other from its deadline")
    func lockedJob() throws {
        let (locked, free) = (try queue.enqueue(), try queue.enqueue())
        try passDeadline(locked)
        try passDeadline(free)
        let other = try queue.another()
        try other.connection.execute("BEGIN")
        _ = try other.text("SELECT rewardd.hold(\(locked))::text AS value")
        try rescue()
        #expect(try queue.status(free) == "cancelled 1 0 0")
        #expect(try queue.status(locked) == "ready 1 0 0")
        try other.connection.execute("ROLLBACK")
        try rescue()
        #expect(try queue.status(locked) == "cancelled 1 0 0")
    }

    @Test("claims go past a job whose deadline is set in an open transaction")
    func openTransaction() throws {
        let (locked, free) = (try queue.enqueue(priority: 5), try queue.enqueue())
        let other = try queue.another()
        try other.connection.execute("BEGIN")
        try other.connection.execute(
            "SELECT rewardd.set_deadline(\(locked), now() + interval '1 hour')"
        )
        try queue.connection.execute("SET lock_timeout = '2s'")
        #expect(try queue.claim(daemon).map(\.job) == [free])
        try other.connection.execute("COMMIT")
        #expect(try queue.claim(daemon).map(\.job) == [locked])
    }

    @Test("a deadline to come changes nothing, and can be taken away")
    func toCome() throws {
        let job = try queue.enqueue()
        try queue.connection.execute(
            "SELECT rewardd.set_deadline(\(job), now() + interval '1 hour')"
        )
        try rescue()
        #expect(try queue.status(job) == "ready 1 0 0")
        try passDeadline(job)
        try queue.connection.execute("SELECT rewardd.set_deadline(\(job), NULL)")
        try rescue()
        #expect(try queue.status(job) == "ready 1 0 0")
    }

    @Test("a retried job has no deadline any more")
    func retried() throws {
        let job = try queue.enqueue(items: 2)
        try passDeadline(job)
        try rescue()
        #expect(try queue.retry(job) == 2)
        try rescue()
        #expect(try queue.status(job) == "ready 2 0 0")
    }

    @Test("a deadline still to come does not outlive the run it was set for")
    func cancelledBefore() throws {
        let job = try queue.enqueue()
        try queue.connection.execute(
            "SELECT rewardd.set_deadline(\(job), now() + interval '1 hour')"
        )
        try queue.connection.execute("SELECT rewardd.cancel(\(job))")
        try queue.connection.execute("SELECT rewardd.retry(\(job))")
        let open = try queue.number(
            "SELECT count(*) AS value FROM rewardd.job WHERE deadline_at IS NULL"
        )
        #expect(open == 1)
    }

    @Test("what is no deadline is refused", arguments: ["2001-01-01", "infinity"])
    func refused(deadline: String) throws {
        let job = try queue.enqueue()
        let refusal = try queue.refusal {
            try queue.connection.execute(
                "SELECT rewardd.set_deadline(\(job), \(deadline)::timestamptz)"
            )
        }
        #expect(refusal?.sqlState == .invalidParameterValue)
        #expect(refusal?.message.hasPrefix("deadline: expected a time after ") == true)
    }

    @Test("only the owner's job and only a live one gets a deadline")
    func owner() throws {
        let alice = try queue.login("rewardd_submit")
        let bob = try queue.login("rewardd_submit")
        let job = try alice.enqueue()
        let statement = "SELECT rewardd.set_deadline(\(job), now() + interval '1 hour')" as Query
        #expect(try bob.refusal { try bob.connection.execute(statement) }?.sqlState == .noDataFound)
        try alice.connection.execute(statement)
        _ = try alice.cancel(job)
        let late = try alice.refusal { try alice.connection.execute(statement) }
        #expect(late?.sqlState == .wrongState)
    }
}
