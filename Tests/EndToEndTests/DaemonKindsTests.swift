import Foundation
import Glibc
import Hashing
import Postgres
import TestSupport
import Testing

/// Every kind, task and way to answer, through one daemon.
@Suite("What a daemon judges", .serialized)
struct DaemonKindsTests {
    private struct Case {
        let kind: String
        let task: String
        let item: String
        var options = "{}"
        /// A key that the result must have.
        let key: String
        let judgements: Int64
    }

    private static let image = Repository.pictures + "/left-right-1.png"
    private static let other = Repository.pictures + "/left-right-3.webp"
    private static let question = """
        "question": "What is on the left?", "image": "\(image)"
        """

    private static let cases = [
        Case(
            kind: "point_score",
            task: "image_understanding",
            item: #"{\#(question), "response": "A red circle."}"#,
            key: "score",
            judgements: 1
        ),
        Case(
            kind: "pair_rank",
            task: "image_generation",
            item:
                #"{"caption": "a red circle", "first": "\#(image)", "second": {"path": "\#(other)"}}"#,
            key: "verdict",
            judgements: 2
        ),
        Case(
            kind: "pair_rank",
            task: "image_understanding",
            item: #"{\#(question), "first": "A circle.", "second": "A square."}"#,
            options: #"{"orders": "single"}"#,
            key: "verdict",
            judgements: 1
        ),
        Case(
            kind: "build_pairs",
            task: "image_understanding",
            item: #"{\#(question), "candidates": ["A circle.", "A square.", "Nothing."]}"#,
            key: "comparisons",
            judgements: 5
        ),
        // Free text of random weights cannot be read, so the one constrained retry answers.
        Case(
            kind: "point_score",
            task: "image_generation",
            item: #"{"caption": "a red circle", "image": "\#(image)"}"#,
            options: #"{"answer": "generate", "max_new_tokens": 8}"#,
            key: "score",
            judgements: 2
        ),
    ]

    @Test("each of them ends with a result and the judgements it takes")
    func everyKind() throws {
        let bench = try Workbench()
        let daemon = try bench.daemon()
        for sample in Self.cases {
            let job = try bench.enqueue(
                kind: sample.kind,
                task: sample.task,
                items: "[\(sample.item)]",
                options: sample.options
            )
            #expect(try bench.end(of: job, daemon: daemon) == "completed", "\(sample.kind)")
            let row = try bench.connection.execute(
                """
                SELECT r.result ? \(sample.key) AS has_key, cardinality(r.judgements) AS n
                FROM rewardd.item_result r WHERE r.job_id = \(job)
                """
            )[0]
            #expect(try row.bool("has_key"), "\(sample.kind) \(sample.task)")
            #expect(try row.int64("n") == sample.judgements, "\(sample.kind) \(sample.task)")
        }
    }

    @Test("a picture uploaded with put_media scores the same bits as the file")
    func storedMedia() throws {
        let bench = try Workbench()
        let daemon = try bench.daemon()
        let bytes = Array(try Data(contentsOf: URL(filePath: Self.image)))
        let digest = try bench.submitter().execute("SELECT rewardd.put_media(\(bytes)) AS t")[0]
            .text("t")
        #expect(digest == SHA256.digest(bytes).hex)
        let job = try bench.enqueue(
            kind: "point_score",
            items: """
                [{"caption": "a red circle", "image": {"media": "\(digest)"}},
                 {"caption": "a red circle", "image": "\(Self.image)"}]
                """,
            options: #"{"reuse": false}"#
        )
        #expect(try bench.end(of: job, daemon: daemon) == "completed")
        #expect(
            try bench.number(
                """
                SELECT count(DISTINCT result ->> 'score') AS n FROM rewardd.item_result
                WHERE job_id = \(job)
                """
            ) == 1
        )
    }
}
