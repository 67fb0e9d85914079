import Postgres
import TestSupport
import Testing

/// What enqueue does not take. The cases share a database: none of them may store anything.
@Suite("enqueue with wrong arguments")
struct EnqueueRefusalTests {
    private static let database = Result { try TemporaryDatabase.migrated() }

    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture(database: Self.database.get())
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let arguments: String
        let message: String
        var state = SQLState.invalidParameterValue
        var testDescription: String { message }
    }

    private static let good = #"[{"caption":"a","image":"a.png"}]"#
    private static let paths = #"a path, {"path": …} or {"media": …}"#

    private static func point(_ item: String) -> String {
        "'point_score', '[{\"caption\":\"a\",\"image\":\"b\"},\(item)]', 'image_generation', 'm'"
    }

    static let refusals: [Refusal] = [
        Refusal(
            arguments: "'score', '\(good)', 'image_generation', 'm'",
            message:
                #"kind: expected one of point_score, pair_rank, pair_score, build_pairs, train, got "score""#
        ),
        Refusal(
            arguments: "NULL, '\(good)', 'image_generation', 'm'",
            message:
                "kind: expected one of point_score, pair_rank, pair_score, build_pairs, train, got nothing"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'video', 'm'",
            message: """
                task: expected one of image_generation, image_understanding, video_generation, \
                video_understanding, image_editing, got "video"
                """
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', ' m'",
            message: #"model: expected a name of 1 to 200 characters, got " m""#
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', NULL",
            message: "model: expected a name of 1 to 200 characters, got nothing"
        ),
        Refusal(
            arguments: "'point_score', '{}', 'image_generation', 'm'",
            message: "items: expected an array of 1 to 1000000 items, got {}"
        ),
        Refusal(
            arguments: "'point_score', NULL, 'image_generation', 'm'",
            message: "items: expected an array of 1 to 1000000 items, got nothing"
        ),
        Refusal(
            arguments: "'point_score', '[]', 'image_generation', 'm'",
            message: "items: expected an array of 1 to 1000000 items, got 0"
        ),
        Refusal(arguments: point("3"), message: "items[1]: expected an object, got 3"),
        Refusal(
            arguments: point(#"{"caption":"a","image":null}"#),
            message: "items[1].image: expected \(paths), got null"
        ),
        Refusal(
            arguments: point(#"{"caption":"a"}"#),
            message: "items[1].image: expected \(paths), got nothing"
        ),
        Refusal(
            arguments: point(#"{"caption":"a","image":{"path":"x","media":"y"}}"#),
            message: #"items[1].image: expected \#(paths), got {"path": "x", "media": "y"}"#
        ),
        Refusal(
            arguments: point(#"{"caption":"a","image":{"media":"AB"}}"#),
            message: #"items[1].image: expected \#(paths), got {"media": "AB"}"#
        ),
        Refusal(
            arguments: point(#"{"caption":"","image":"b"}"#),
            message: #"items[1].caption: expected a string of 1 to 100000 characters, got """#
        ),
        Refusal(
            arguments: point(#"{"caption":["x"],"image":"b"}"#),
            message:
                "items[1].caption: expected a string of 1 to 100000 characters, got an array of 1"
        ),
        Refusal(
            arguments: """
                'point_score', jsonb_build_array(jsonb_build_object(
                    'caption', repeat('x', 100001), 'image', 'b')), 'image_generation', 'm'
                """,
            message: """
                items[0].caption: expected a string of 1 to 100000 characters, \
                got a string of 100001 characters
                """
        ),
        Refusal(
            arguments: point(#"{"caption":"a","image":"b","img":1}"#),
            message:
                "items[1].img: expected one of the fields caption, image, id, label, labels and "
                + "group, got an unknown one"
        ),
        Refusal(
            arguments: point(#"{"caption":"a","image":"b","id":7}"#),
            message: "items[1].id: expected a string of 1 to 200 characters, got 7"
        ),
        Refusal(
            arguments: """
                'build_pairs', '[{"caption":"a","candidates":["x"]}]', 'image_generation', 'm'
                """,
            message:
                "items[0].candidates: expected an array of 2 to 64 candidates, got an array of 1"
        ),
        Refusal(
            arguments: """
                'build_pairs', '[{"caption":"a","candidates":["x","y",true]}]',
                'image_generation', 'm'
                """,
            message: "items[0].candidates[2]: expected \(paths), got true"
        ),
        Refusal(
            arguments: """
                'build_pairs', '[{"question":"q","image":"i","candidates":["x",{"path":"y"}]}]',
                'image_understanding', 'm'
                """,
            message: """
                items[0].candidates[1]: expected a string of at most 100000 characters, \
                got {"path": "y"}
                """
        ),
        Refusal(
            arguments: """
                'pair_rank', '[{"question":"q","image":"i","first":"x","second":5}]',
                'image_understanding', 'm'
                """,
            message: "items[0].second: expected a string of at most 100000 characters, got 5"
        ),
        Refusal(
            arguments: point(
                #"{"caption":"a","image":{"media":"\#(String(repeating: "0", count: 64))"}}"#
            ),
            message: """
                items[1].image: expected media uploaded by "postgres", \
                got unknown digest \(String(repeating: "0", count: 64))
                """
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '[]'",
            message: "options: expected an object, got an array of 0"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '{\"foo\":1}'",
            message: "options.foo: expected a known option, got an unknown one"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '{\"shard_size\":0}'",
            message: "options.shard_size: expected a whole number from 1 to 1000, got 0"
        ),
        Refusal(
            arguments:
                "'point_score', '\(good)', 'image_generation', 'm', '{\"max_attempts\":1.5}'",
            message: "options.max_attempts: expected a whole number from 1 to 100, got 1.5"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '{\"shard_size\":16.0}'",
            message: "options.shard_size: expected a whole number from 1 to 1000, got 16.0"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '{\"orders\":\"all\"}'",
            message: #"options.orders: expected "both" or "single", got "all""#
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '{\"answer\":null}'",
            message: #"options.answer: expected "choices" or "generate", got null"#
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '{\"frames\":769}'",
            message: "options.frames: expected a whole number from 2 to 768, got 769"
        ),
        Refusal(
            arguments:
                "'point_score', '\(good)', 'image_generation', 'm', '{\"sampling\":\"all\"}'",
            message: #"options.sampling: expected "linspace" or "segments" or "fps", got "all""#
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '{\"reuse\":\"no\"}'",
            message: #"options.reuse: expected true or false, got "no""#
        ),
        Refusal(
            arguments:
                "'point_score', '\(good)', 'image_generation', 'm', '{\"margin_minimum\":-1}'",
            message: "options.margin_minimum: expected a number from 0 to 1000000, got -1"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', priority => 1001",
            message: "priority: expected -1000 to 1000, got 1001"
        ),
        // Beyond what the column could hold.
        Refusal(
            arguments:
                "'point_score', '\(good)', 'image_generation', 'm', priority => 2147483647",
            message: "priority: expected -1000 to 1000, got 2147483647"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', run_at => 'infinity'",
            message: "run_at: expected a time, got infinity"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', queue => 'night'",
            message: #"queue: expected an existing queue, got "night""#,
            state: .noDataFound
        ),
        Refusal(
            arguments: """
                'point_score', '\(good)', 'image_generation', 'm',
                idempotency_key => repeat('k', 201)
                """,
            message: "idempotency_key: expected a name of 1 to 200 characters, got 201 characters"
        ),
    ]

    @Test(
        "refuses with the path, both sides and a way out, and stores nothing",
        arguments: refusals
    )
    func refuses(_ refusal: Refusal) throws {
        let error = try queue.refusal {
            try queue.connection.execute(
                Query(script: "SELECT rewardd.enqueue(\(refusal.arguments))")
            )
        }
        #expect(error?.message == refusal.message)
        #expect(error?.sqlState == refusal.state)
        #expect(error?.hint?.isEmpty == false)
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.job") == 0)
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.item") == 0)
    }

    @Test("a submission that looks plain is accepted the long way too, and plain ones look it")
    func plain() throws {
        let found = try queue.connection.execute(
            """
            WITH submission AS (
                SELECT k.kind, t.task, m.model, o.options::jsonb AS options, p.priority, i.items::jsonb AS items
                FROM unnest(ARRAY['point_score', 'pair_rank', 'pair_score', 'build_pairs', 'train',
                    'Point_score', '', 'point_score/image_generation', NULL]) AS k (kind)
                CROSS JOIN unnest(ARRAY['image_generation', 'image_understanding', 'video_generation',
                    'video_understanding', 'image_editing', 'generation', '', NULL]) AS t (task)
                CROSS JOIN unnest(ARRAY['m', 'Qwen2.5-VL_7b', repeat('m', 200), repeat('m', 201), '', ' m',
                    'm ', E'm\\n', E'm\\nm', 'train/m', 'sample/a=b', 'a/b', 'é', NULL]) AS m (model)
                CROSS JOIN unnest(ARRAY['{}', '[]', 'null', '{"seed": 1}', NULL]) AS o (options)
                CROSS JOIN unnest(ARRAY[0, -1000, 1000, 1001, -1001, NULL]) AS p (priority)
                CROSS JOIN unnest(ARRAY['[{}]', '[]', '{}', '""', 'null', '7', NULL]) AS i (items)
            ), judged AS MATERIALIZED (
                SELECT s.*, rewardd._is_plain(s.kind, s.task, s.model, s.options, s.priority, s.items) AS plain
                FROM submission s
            ), accepted AS MATERIALIZED (
                SELECT j.*, rewardd._check_submission(
                    j.kind, j.task, j.model, j.options, 'default', j.priority, j.items)
                FROM judged j
                WHERE j.plain
            )
            SELECT (SELECT count(*) FROM judged) AS asked, (SELECT count(*) FROM accepted) AS plain
            """
        ).only()
        #expect(try found.int64("asked") == 9 * 8 * 14 * 5 * 6 * 7)
        // Every task of three kinds, but pair_score has three; 3 models, no options, 3 priorities, one list.
        #expect(try found.int64("plain") == (3 * 5 + 3) * 3 * 3)
    }
}
