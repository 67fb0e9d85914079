import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

/// Candidates sampled by the bundled model, which then judges them.
@Suite("Sampled candidates in a daemon", .serialized)
struct DaemonCandidatesTests {
    private static let scenes = "model.scenes = \(Repository.root.path)/deploy/models/scenes"
    private static let questions = [
        ("How many circles are there?", "left-right-1.png"),
        ("How many triangles are there?", "triangles-2.png"),
        ("How many triangles are there?", "triangles-4.png"),
    ]

    private static let items: String = {
        let items = questions.map { question, picture in
            #"{"question": "\#(question)", "image": "\#(Repository.pictures)/\#(picture)"}"#
        }
        return "[\(items.joined(separator: ","))]"
    }()

    private static func options(_ more: String = "") -> String {
        """
        {"policy": "scenes", "candidates": 5, "temperature": 1.5, "top_p": 0.95,
         "max_candidate_tokens": 12\(more)}
        """
    }

    private func submit(_ bench: Workbench, _ options: String = Self.options()) throws -> Int64 {
        try bench.enqueue(
            kind: "build_pairs",
            task: "image_understanding",
            model: "scenes",
            items: Self.items,
            options: options
        )
    }

    /// The results of a job as text, in order: candidates, scores, pairs and all.
    private func results(_ bench: Workbench, _ job: Int64) throws -> [String] {
        try bench.connection.execute(
            """
            SELECT coalesce(result::text, error) AS t FROM rewardd.item_result
            WHERE job_id = \(job) ORDER BY item_index
            """
        ).map { try $0.text("t") }
    }

    private func count(_ bench: Workbench, _ job: Int64) throws -> Int64 {
        try bench.number(
            """
            SELECT count(*) AS n FROM rewardd.judgement
            WHERE job_id = \(job) AND kind = 'candidate'
            """
        )
    }

    @Test("are judged, recorded with their provenance, and leave as training pairs")
    func whole() throws {
        let bench = try Workbench()
        let daemon = try bench.daemon(settings: Self.scenes)
        let job = try submit(bench)
        #expect(try bench.end(of: job, daemon: daemon) == "completed", "\(daemon.log)")
        #expect(try count(bench, job) == 15)
        let rows = try bench.connection.execute(
            """
            SELECT r.result ->> 'reason' AS reason,
                jsonb_array_length(r.result -> 'candidates') AS texts,
                (SELECT sum((c ->> 'count')::int) FROM jsonb_array_elements(r.result -> 'candidates') c)
                    AS written,
                r.result -> 'sampling' ->> 'policy' AS policy,
                length(r.result -> 'sampling' ->> 'policy_digest') AS digits,
                r.result -> 'candidates' -> p.chosen_index ->> 'text' = p.chosen #>> '{}' AS is_its_text,
                p.evidence -> 'sampling' = r.result -> 'sampling' AS is_traced,
                cardinality(r.judgements) AS judgements
            FROM rewardd.item_result r
            LEFT JOIN rewardd.preference_pair p USING (job_id, item_index)
            WHERE r.job_id = \(job) AND r.state = 'completed' ORDER BY item_index
            """
        )
        #expect(rows.count == 3, "\(daemon.log)")
        var pairs = 0
        for row in rows {
            let texts = try row.int64("texts")
            #expect(try row.int64("written") == 5 && texts >= 1)
            #expect(try row.text("policy") == "scenes" && row.int64("digits") == 64)
            // Five samples, the comparisons both ways, a score for each text.
            let asked = texts > 1 ? 2 * (texts / 2) + texts : 0
            #expect(try row.int64("judgements") == 5 + asked)
            guard try row.textIfPresent("reason") == nil else { continue }
            pairs += 1
            #expect(try row.bool("is_its_text") && row.bool("is_traced"))
        }
        let found = try results(bench, job)
        #expect(pairs > 0, "\(found)")

        // The same request of another job finds every answer, and asks nothing.
        let again = try submit(bench)
        #expect(try bench.end(of: again, daemon: daemon) == "completed")
        #expect(try results(bench, again) == results(bench, job))
        #expect(
            try bench.number("SELECT count(*) AS n FROM rewardd.judgement WHERE job_id = \(again)")
                == 0
        )
        // Another seed writes other texts.
        let other = try submit(bench, Self.options(#", "seed": 9"#))
        #expect(try bench.end(of: other, daemon: daemon) == "completed")
        #expect(try results(bench, other) != results(bench, job))
        #expect(try count(bench, other) == 15)

        let lines = try export(bench, job)
        #expect(lines.count == pairs)
        #expect(lines.allSatisfy { $0.contains("How many") && $0.contains("rejected") })
    }

    /// The rows of an export for TRL.
    private func export(_ bench: Workbench, _ job: Int64) throws -> [String] {
        let process = Process()
        process.executableURL = DaemonProcess.products.appending(path: "rewardctl")
        process.arguments = ["export", "\(job)", "--format", "trl", "-o", "-"]
        process.environment = ["DATABASE_URL": bench.submitterURL, "PATH": "/usr/bin:/bin"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("are the same after kill -9 between two of them, and what was stored is not asked again")
    func killed() throws {
        let undisturbed = try Workbench()
        let calm = try undisturbed.daemon(settings: Self.scenes)
        let reference = try submit(undisturbed)
        #expect(try undisturbed.end(of: reference, daemon: calm) == "completed")
        let expected = try results(undisturbed, reference)

        let bench = try Workbench()
        let job = try submit(bench)
        // The ninth candidate is written, and nobody but the daemon knows it.
        let victim = try DaemonProcess(
            database: bench.workerURL,
            mediaRoot: Repository.pictures,
            settings: Self.scenes,
            environment: ["REWARDD_FAIL_POINTS": "answer.after=kill@9"]
        )
        #expect(victim.wait() == -SIGKILL)
        let stored = try count(bench, job)
        #expect(stored < 9)
        let next = try bench.daemon(settings: Self.scenes)
        #expect(try bench.end(of: job, daemon: next) == "completed")
        #expect(try results(bench, job) == expected)
        #expect(try count(bench, job) == 15)
        let leases = try bench.number(
            """
            SELECT count(*) AS n FROM rewardd.judgement
            WHERE job_id = \(job) AND kind = 'candidate'
                AND lease_token = (SELECT min(lease_token) FROM rewardd.judgement)
            """
        )
        #expect(leases == stored || stored == 0)
    }

    @Test(
        "wait for a daemon that has both models, and are written by the one and judged by the other"
    )
    func twoModels() throws {
        let bench = try Workbench()
        let job = try submit(
            bench,
            #"{"policy": "tiny", "candidates": 2, "max_candidate_tokens": 4, "temperature": 2}"#
        )
        // Room for either model, not for both: the policy is let go before the other is asked for.
        let daemon = try bench.daemon(
            settings: Self.scenes + "\nvision-cache.limit = 1MiB\nmemory.limit = 700MiB"
        )
        #expect(try bench.end(of: job, daemon: daemon) == "completed", "\(daemon.log)")
        #expect(daemon.log.contains(#"msg="model unloaded" model=tiny"#), "\(daemon.log)")
        #expect(
            try bench.text(
                """
                SELECT string_agg(DISTINCT kind || ' ' || model, ', ' ORDER BY kind || ' ' || model) AS t
                FROM rewardd.judgement WHERE job_id = \(job)
                """
            ) == "candidate tiny, pair_rank scenes, point_score scenes"
        )
        let labels = try bench.text(
            "SELECT array_to_string(models, ' ') AS t FROM rewardd.daemon"
        )
        #expect(labels == "tiny scenes sample/tiny=scenes sample/scenes=tiny")
    }
}
