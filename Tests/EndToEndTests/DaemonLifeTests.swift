import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

/// The whole road with real processes: PostgreSQL, `rewardd`, child decoders, real signals.
@Suite("A daemon's life", .serialized)
struct DaemonLifeTests {
    @Test("a build_pairs job over real pictures ends with a pair or a reason for every item")
    func buildPairs() throws {
        let bench = try Workbench()
        let daemon = try bench.daemon()
        let root = Repository.pictures
        let job = try bench.enqueue(
            kind: "build_pairs",
            items: """
                [{"id": "a", "caption": "A red circle to the left of a blue square.",
                  "candidates": ["\(root)/left-right-1.png", "\(root)/left-right-2.jpg",
                                 "\(root)/left-right-3.webp", "\(root)/left-right-4.jpg"]},
                 {"id": "b", "caption": "damaged",
                  "candidates": ["\(root)/stack-1.webp", "\(root)/cut-in-the-middle.jpg"]}]
                """
        )
        #expect(try bench.end(of: job, daemon: daemon) == "completed")
        let whole = try bench.connection.execute(
            "SELECT state, result FROM rewardd.result WHERE job_id = \(job) AND item_id = 'a'"
        )
        #expect(try whole[0].text("state") == "completed")
        let damaged = try bench.connection.execute(
            "SELECT error_code, error FROM rewardd.result WHERE job_id = \(job) AND item_id = 'b'"
        )
        #expect(try damaged[0].text("error_code") == "media_unreadable")
        #expect(try damaged[0].text("error").contains("cut-in-the-middle.jpg"))
        // Two comparisons in both orders, four scores.
        #expect(
            try bench.number(
                "SELECT count(*) AS n FROM rewardd.judgement WHERE job_id = \(job) AND item_index = 0"
            )
                == 8
        )
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test(
        "enqueued in another service's transaction: rolled back there is nothing, committed it runs"
    )
    func transactions() throws {
        let bench = try Workbench()
        let service = try bench.submitter()
        _ = try service.executeScript("CREATE TEMPORARY TABLE render (id int)")
        _ = try service.executeScript("BEGIN; INSERT INTO render VALUES (1)")
        _ = try bench.enqueue(kind: "point_score", items: Workbench.pointItems(3), as: service)
        _ = try service.executeScript("ROLLBACK")
        #expect(try bench.number("SELECT count(*) AS n FROM rewardd.job") == 0)
        _ = try service.executeScript("BEGIN; INSERT INTO render VALUES (2)")
        let job = try bench.enqueue(
            kind: "point_score",
            items: Workbench.pointItems(3),
            as: service
        )
        #expect(try bench.number("SELECT count(*) AS n FROM rewardd.job") == 0)
        _ = try service.executeScript("COMMIT")
        let daemon = try bench.daemon()
        #expect(try bench.end(of: job, daemon: daemon) == "completed")
        let visible = try service.execute(
            "SELECT count(*) AS n FROM rewardd.result WHERE job_id = \(job) AND state = 'completed'"
        )
        #expect(try visible[0].int64("n") == 3)
    }

    @Test("killed again and again, every item has one result and no judgement is stored twice")
    func killed() throws {
        let bench = try Workbench()
        let items = 60
        let job = try bench.enqueue(
            kind: "point_score",
            items: Workbench.pointItems(items),
            options: #"{"shard_size": 7}"#
        )
        for round in 1...5 {
            let daemon = try bench.daemon()
            let before = try bench.number("SELECT count(*) AS n FROM rewardd.judgement")
            try bench.wait("progress in round \(round)", daemon: daemon) {
                let count = try bench.number("SELECT count(*) AS n FROM rewardd.judgement")
                return count >= min(before + 5, Int64(items))
            }
            daemon.signal(SIGKILL)
            #expect(daemon.wait() == -SIGKILL)
        }
        let daemon = try bench.daemon()
        #expect(try bench.end(of: job, daemon: daemon) == "completed")
        #expect(
            try bench.number(
                "SELECT count(*) AS n FROM rewardd.item_result WHERE state = 'completed'"
            ) == 60
        )
        #expect(
            try bench.number(
                """
                SELECT count(*) - count(DISTINCT (job_id, item_index, presentation_order)) AS n
                FROM rewardd.judgement
                """
            ) == 0
        )
        #expect(try bench.number("SELECT count(*) AS n FROM rewardd.judgement") == 60)
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test("SIGTERM ends with status 0, gives work back without using up an attempt")
    func drain() throws {
        let bench = try Workbench()
        let job = try bench.enqueue(
            kind: "point_score",
            items: Workbench.pointItems(400),
            options: #"{"shard_size": 100}"#
        )
        let daemon = try bench.daemon()
        try bench.results(moreThan: 3, daemon: daemon)
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0, "\(daemon.log)")
        #expect(
            try bench.number("SELECT count(*) AS n FROM rewardd.shard WHERE state = 'running'") == 0
        )
        #expect(
            try bench.number(
                "SELECT coalesce(max(attempts), 0) AS n FROM rewardd.shard WHERE state = 'ready'"
            )
                == 0
        )
        let done = try bench.number("SELECT count(*) AS n FROM rewardd.item_result")
        #expect(done < 400)
        let next = try bench.daemon()
        #expect(try bench.end(of: job, daemon: next) == "completed")
        #expect(try bench.number("SELECT count(*) AS n FROM rewardd.item_result") == 400)
    }

    @Test("a cancelled job stops within a second and keeps what it has")
    func cancel() throws {
        let bench = try Workbench()
        let daemon = try bench.daemon()
        let job = try bench.enqueue(
            kind: "point_score",
            items: Workbench.pointItems(2000),
            options: #"{"shard_size": 1000}"#
        )
        try bench.results(moreThan: 0, daemon: daemon)
        _ = try bench.submitter().execute("SELECT rewardd.cancel(\(job), 'changed my mind')")
        let asked = ContinuousClock.now
        #expect(try bench.end(of: job, daemon: daemon) == "cancelled")
        #expect(ContinuousClock.now - asked < .seconds(3))
        let kept = try bench.number("SELECT count(*) AS n FROM rewardd.item_result")
        #expect(kept > 0 && kept < 2000)
    }

    @Test("a held job stops, keeps what it has, and goes on when it is released")
    func hold() throws {
        let bench = try Workbench()
        let daemon = try bench.daemon()
        let job = try bench.enqueue(
            kind: "point_score",
            items: Workbench.pointItems(300),
            options: #"{"shard_size": 150}"#
        )
        try bench.results(moreThan: 0, daemon: daemon)
        _ = try bench.submitter().execute("SELECT rewardd.hold(\(job))")
        let running = "SELECT count(*) AS n FROM rewardd.shard WHERE state = 'running'" as Query
        try bench.wait("a stop", daemon: daemon) { try bench.number(running) == 0 }
        let kept = try bench.number("SELECT count(*) AS n FROM rewardd.item_result")
        #expect(kept > 0 && kept < 300)
        // It would be claimed within a second of a poll.
        let other = try bench.enqueue(kind: "point_score", items: Workbench.pointItems(1))
        #expect(try bench.end(of: other, daemon: daemon) == "completed")
        #expect(try bench.number(running) == 0)
        _ = try bench.submitter().execute("SELECT rewardd.release(\(job))")
        #expect(try bench.end(of: job, daemon: daemon) == "completed")
        #expect(
            try bench.number(
                "SELECT count(*) AS n FROM rewardd.item_result WHERE job_id = \(job)"
            ) == 300
        )
    }

    @Test("identical questions are answered from the table, also in another job")
    func reuse() throws {
        let bench = try Workbench()
        let daemon = try bench.daemon()
        let first = try bench.enqueue(kind: "point_score", items: Workbench.pointItems(4))
        #expect(try bench.end(of: first, daemon: daemon) == "completed")
        let second = try bench.enqueue(kind: "point_score", items: Workbench.pointItems(4))
        #expect(try bench.end(of: second, daemon: daemon) == "completed")
        #expect(try bench.number("SELECT count(*) AS n FROM rewardd.judgement") == 4)
        #expect(
            try bench.number(
                """
                SELECT count(*) AS n FROM rewardd.item_result a JOIN rewardd.item_result b
                USING (item_index) WHERE a.job_id = \(first) AND b.job_id = \(second)
                AND a.result ->> 'score' = b.result ->> 'score'
                """
            ) == 4
        )
        let fresh = try bench.enqueue(
            kind: "point_score",
            items: Workbench.pointItems(4),
            options: #"{"reuse": false}"#
        )
        #expect(try bench.end(of: fresh, daemon: daemon) == "completed")
        #expect(try bench.number("SELECT count(*) AS n FROM rewardd.judgement") == 8)
        // Asked afresh, the same question gives the same bits.
        #expect(
            try bench.number(
                """
                SELECT count(*) AS n FROM rewardd.judgement a JOIN rewardd.judgement b
                ON a.item_index = b.item_index AND a.job_id = \(first) AND b.job_id = \(fresh)
                WHERE a.score = b.score AND a.probabilities = b.probabilities
                """
            ) == 4
        )
    }
}
