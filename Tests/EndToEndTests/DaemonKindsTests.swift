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
    private static let third = Repository.pictures + "/left-right-2.jpg"
    private static let edit = """
        "instruction": "Make it a square.", "source": "\(image)"
        """
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
        Case(
            kind: "pair_score",
            task: "image_generation",
            item: #"{"caption": "a red circle", "first": "\#(image)", "second": "\#(other)"}"#,
            key: "criteria",
            judgements: 2
        ),
        Case(
            kind: "point_score",
            task: "image_editing",
            item: #"{\#(edit), "edited": "\#(other)"}"#,
            key: "score",
            judgements: 1
        ),
        Case(
            kind: "pair_rank",
            task: "image_editing",
            item: #"{\#(edit), "first": "\#(other)", "second": "\#(third)"}"#,
            key: "verdict",
            judgements: 2
        ),
        Case(
            kind: "pair_score",
            task: "image_editing",
            item: #"{\#(edit), "first": "\#(other)", "second": "\#(third)"}"#,
            options: #"{"orders": "single"}"#,
            key: "criteria",
            judgements: 1
        ),
        Case(
            kind: "build_pairs",
            task: "image_editing",
            item: #"{\#(edit), "candidates": ["\#(other)", "\#(third)"]}"#,
            key: "comparisons",
            judgements: 4
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

    @Test("two numbers for each criterion come with the verdict of their means, in item order")
    func pairScore() throws {
        let bench = try Workbench()
        let daemon = try bench.daemon()
        let forward = #"{"caption": "c", "first": "\#(Self.image)", "second": "\#(Self.other)"}"#
        let mirrored = #"{"caption": "c", "first": "\#(Self.other)", "second": "\#(Self.image)"}"#
        let job = try bench.enqueue(kind: "pair_score", items: "[\(forward), \(mirrored)]")
        #expect(try bench.end(of: job, daemon: daemon) == "completed")
        let rows = try bench.connection.execute(
            """
            SELECT result -> 'criteria' -> 0 ->> 'first' AS first,
                result -> 'criteria' -> 0 ->> 'second' AS second,
                jsonb_array_length(result -> 'criteria') AS criteria,
                result ->> 'verdict' IN ('first', 'second', 'tie') AS has_verdict
            FROM rewardd.item_result WHERE job_id = \(job) ORDER BY item_index
            """
        )
        #expect(rows.count == 2)
        for row in rows { #expect(try row.bool("has_verdict") && row.int64("criteria") >= 2) }
        #expect(try rows[0].text("first") == rows[1].text("second"))
        #expect(try rows[0].text("second") == rows[1].text("first"))
        #expect(
            try bench.number(
                """
                SELECT count(*) AS n FROM rewardd.judgement
                WHERE job_id = \(job) AND jsonb_array_length(criteria) >= 2 AND decoding IS NULL
                """
            ) == 4
        )
    }

    @Test("what a model was not trained for fails each item by name, with a sentence and a way out")
    func untrained() throws {
        let bench = try Workbench()
        let daemon = try bench.daemon(
            settings: "model.scenes = \(Repository.root.path)/deploy/models/scenes"
        )
        for (kind, task, item) in [
            (
                "pair_score", "image_generation",
                #"{"caption": "c", "first": "\#(Self.image)", "second": "\#(Self.other)"}"#
            ),
            ("point_score", "image_editing", #"{\#(Self.edit), "edited": "\#(Self.other)"}"#),
        ] {
            let job = try bench.enqueue(
                kind: kind,
                task: task,
                model: "scenes",
                items: "[\(item)]"
            )
            #expect(try bench.end(of: job, daemon: daemon) == "failed")
            #expect(
                try bench.text(
                    "SELECT error_code || ': ' || error AS t FROM rewardd.item_result WHERE job_id = \(job)"
                ) == """
                    missing_template: prompt pack "scenes": expected a template for \(task) and \(kind), \
                    got none. Use a model that was trained for this, or a pack that has a template \
                    for it.
                    """
            )
        }
    }

    @Test("how a free answer was decoded is kept with it")
    func decoding() throws {
        let bench = try Workbench()
        let daemon = try bench.daemon()
        let job = try bench.enqueue(
            kind: "point_score",
            items: #"[{"caption": "a red circle", "image": "\#(Self.image)"}]"#,
            options: #"{"answer": "generate", "max_new_tokens": 8}"#
        )
        #expect(try bench.end(of: job, daemon: daemon) == "completed")
        #expect(
            try bench.text(
                """
                SELECT string_agg(concat_ws(' ', answer_mode, decoding), '; ' ORDER BY answer_mode) AS t
                FROM rewardd.job_judgement WHERE job_id = \(job)
                """
            ) == #"choices; generate {"max_tokens": 8, "repetition_penalty": 1}"#
        )
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
