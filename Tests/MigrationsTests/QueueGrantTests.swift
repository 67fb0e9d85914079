import Postgres
import TestSupport
import Testing

@Suite("grants of queues")
struct QueueGrantTests {
    let queue: QueueFixture
    let admin: QueueFixture
    let alice: QueueFixture
    let bob: QueueFixture

    init() throws {
        queue = try QueueFixture()
        admin = try queue.login("rewardd_admin")
        alice = try queue.login("rewardd_submit")
        bob = try queue.login("rewardd_submit")
        try admin.connection.execute("SELECT rewardd.create_queue('night')")
    }

    private func name(_ user: QueueFixture) throws -> String {
        try user.text("SELECT session_user::text AS value")
    }

    private func grant(_ role: String, _ lane: String = "night") throws -> String {
        try admin.text("SELECT rewardd.grant_queue(\(lane), \(role)::name)::text AS value")
    }

    private func revoke(_ role: String, _ lane: String = "night") throws -> String {
        try admin.text("SELECT rewardd.revoke_queue(\(lane), \(role)::name) AS value")
    }

    private func refusal(_ user: QueueFixture) throws -> PostgresError? {
        try user.refusal { try user.enqueue(queue: "night") }
    }

    @Test("a queue is open until a role is granted it, and again after the last is revoked")
    func closing() throws {
        try alice.enqueue(queue: "night")
        try bob.enqueue(queue: "night")
        #expect(try grant(name(alice)) == "true")
        #expect(try grant(name(alice)) == "false")
        try alice.enqueue(queue: "night")
        let refused = try refusal(bob)
        #expect(refused?.sqlState == .insufficientPrivilege)
        #expect(
            refused?.message
                == #"queue "night": expected a submitter it is granted to, got "\#(try name(bob))""#
        )
        #expect(refused?.hint == "An administrator grants it with rewardd.grant_queue.")
        try bob.enqueue()
        #expect(try grant(name(bob)) == "true")
        try bob.enqueue(queue: "night")
        #expect(try revoke(name(alice)) == "revoked")
        #expect(try refusal(alice) != nil)
        #expect(try revoke(name(bob)) == "open")
        #expect(try revoke(name(bob)) == "not granted")
        try alice.enqueue(queue: "night")
    }

    @Test("members of a granted role may submit, also through another role; strangers may not")
    func membership() throws {
        let suffix = queue.database.name
        let team = "team_\(suffix)"
        let group = "group_\(suffix)"
        try queue.connection.execute("CREATE ROLE \(identifier: team)")
        try queue.connection.execute("CREATE ROLE \(identifier: group) IN ROLE \(identifier: team)")
        defer {
            _ = try? queue.connection.execute("DROP ROLE \(identifier: group)")
            _ = try? queue.connection.execute("DROP ROLE IF EXISTS \(identifier: team)")
        }
        try queue.connection.execute("GRANT \(identifier: group) TO \(identifier: name(alice))")
        _ = try grant(team)
        try alice.enqueue(queue: "night")
        #expect(try refusal(bob) != nil)
        // Pretending to be another role does not help: the login counts.
        try bob.connection.execute("SET ROLE rewardd_submit")
        #expect(try refusal(bob) != nil)
        try bob.connection.execute("RESET ROLE")
        #expect(
            try queue.list(
                "SELECT unnest(submitters) AS value FROM rewardd.queue_status WHERE name = 'night'"
            )
                == [team]
        )
        try queue.connection.execute("REVOKE \(identifier: group) FROM \(identifier: name(alice))")
        #expect(try refusal(alice) != nil)
        // Nobody is left who is granted it: closed, not open.
        try queue.connection.execute("DROP ROLE \(identifier: group)")
        try queue.connection.execute("DROP ROLE \(identifier: team)")
        #expect(try refusal(alice) != nil)
        #expect(try revoke(team) == "open")
    }

    @Test("a schedule is checked as its owner, when made and each time it runs")
    func schedules() throws {
        _ = try grant(name(alice))
        #expect(try alice.schedule("a", queue: "night") == "created")
        let refused = try bob.refusal { _ = try bob.schedule("b", queue: "night") }
        #expect(refused?.sqlState == .insufficientPrivilege)
        try queue.makeDue("a")
        #expect(try queue.runSchedules() == 1)
        #expect(try queue.slots("a").first?.contains("enqueued") == true)
        _ = try grant(name(bob))
        #expect(try revoke(name(alice)) == "revoked")
        let byHand = try admin.refusal {
            try admin.connection.execute("SELECT rewardd.run_schedule('a')")
        }
        #expect(byHand?.sqlState == .insufficientPrivilege)
        _ = try alice.cancel(alice.lastJob("a"))
        try queue.connection.execute("DELETE FROM rewardd.schedule_slot")
        try queue.makeDue("a")
        #expect(try queue.runSchedules() == 1)
        #expect(try queue.slots("a").first?.contains("refused: queue \"night\"") == true)
    }

    @Test(
        "a submitter that lost the queue cannot retry there; an administrator can, and cancel stays"
    )
    func retry() throws {
        let job = try alice.enqueue(queue: "night")
        let other = try alice.enqueue(queue: "night")
        let daemon = try queue.register(queues: ["night"])
        _ = try queue.finish(queue.claim(daemon, queues: ["night"])[0], "fail")
        _ = try grant(name(bob))
        #expect(try alice.refusal { _ = try alice.retry(job) }?.sqlState == .insufficientPrivilege)
        #expect(try admin.retry(job) == 1)
        #expect(try alice.cancel(other) == "cancelled")
    }

    @Test("what is not there is refused in words, and only administrators grant")
    func refusals() throws {
        for (call, message) in [
            ("grant_queue('no', 'postgres')", #"queue: expected an existing queue, got "no""#),
            (
                "grant_queue('night', 'nobody of this name')",
                #"role: expected an existing role, got "nobody of this name""#
            ),
            ("grant_queue('night', NULL)", "role: expected the name of a role, got nothing"),
            ("grant_queue('night', 'postgres', 'x')", #"verb: expected submit, got "x""#),
            ("revoke_queue(NULL, 'postgres')", "queue: expected an existing queue, got nothing"),
        ] {
            let error = try admin.refusal {
                try admin.connection.execute(Query(script: "SELECT rewardd.\(call)"))
            }
            #expect(error?.message == message)
            for user in [alice, try queue.login("rewardd_work"), try queue.login("rewardd_read")] {
                let denied = try user.refusal {
                    try user.connection.execute(Query(script: "SELECT rewardd.\(call)"))
                }
                #expect(denied?.message.hasPrefix("permission denied for function") == true)
            }
        }
    }
}
