import Postgres
import TestSupport
import Testing

/// What breaks silently: a value that comes back changed, or that becomes part of the statement.
@Suite("Query round trips")
struct QueryRoundTripTests {
    private static let database = Result { try TemporaryDatabase.empty() }
    private let connection: Connection

    init() throws {
        connection = try Self.database.get().connect()
    }

    /// Text that has broken other drivers: quotes, backslashes, placeholders, comments, array
    /// syntax, scripts.
    static let awkwardTexts = [
        "", " ", "plain", "O'Reilly", "\"double\"", "back\\slash", "\\x00", "$1", "$$", "--", "/*",
        "'; DROP SCHEMA public CASCADE; --",
        "'); SELECT pg_terminate_backend(pg_backend_pid()); --",
        "{a,b}", "NULL", "null", "{}", ",", "line\nbreak\r\ttab", "日本語",
        "👩‍👩‍👧‍👦", "e\u{301}",
        "\u{1}\u{7f}\u{85}\u{2028}", "%s %n", "\u{feff}bom",
        String(repeating: "0123456789abcdef", count: 65_536),
    ]

    @Test("text comes back unchanged", arguments: awkwardTexts)
    func text(_ value: String) throws {
        let row = try connection.execute("SELECT \(value)::text AS v").only()
        #expect(try row.text("v") == value)
        #expect(Array(try row.text("v").utf8) == Array(value.utf8))
    }

    @Test("text in an array comes back unchanged")
    func textArrays() throws {
        let texts = Self.awkwardTexts
        let row = try connection.execute("SELECT \(texts)::text[] AS v").only()
        #expect(try row.textArray("v") == texts)
        #expect(try row.text("v").hasPrefix("{"))
        let none = try connection.execute("SELECT \([String]())::text[] AS v").only()
        #expect(try none.textArray("v") == [])
        let holes: [String?] = ["a", nil, "NULL", ""]
        let mixed = try connection.execute("SELECT \(holes)::text[] AS v").only()
        #expect(try mixed.nullableTextArray("v") == holes)
        #expect(throws: PostgresError.self) { try mixed.textArray("v") }
    }

    @Test(
        "whole numbers come back unchanged",
        arguments: [0, 1, -1, Int64.max, Int64.min, 1 << 32, -(1 << 31)]
    )
    func int64(_ value: Int64) throws {
        let row = try connection.execute("SELECT \(value)::bigint AS v, \(Int(value))::bigint AS w")
            .only()
        #expect(try row.int64("v") == value)
        #expect(try row.int("w") == Int(value))
        let small = try connection.execute("SELECT \(Int32(truncatingIfNeeded: value))::int AS v")
        #expect(try small.only().int64("v") == Int64(Int32(truncatingIfNeeded: value)))
    }

    @Test(
        "numbers come back bit for bit",
        arguments: [
            0, -0.0, 1.5, 0.1, 1e300, .leastNonzeroMagnitude, .pi, -.greatestFiniteMagnitude,
            .infinity, -.infinity,
        ]
    )
    func double(_ value: Double) throws {
        let row = try connection.execute("SELECT \(value)::float8 AS v").only()
        #expect(try row.double("v").bitPattern == value.bitPattern)
    }

    @Test("not-a-number comes back as such")
    func notANumber() throws {
        let row = try connection.execute("SELECT \(Double.nan)::float8 AS v").only()
        #expect(try row.double("v").isNaN)
    }

    @Test("booleans come back unchanged", arguments: [true, false])
    func bool(_ value: Bool) throws {
        let row = try connection.execute("SELECT \(value)::bool AS v").only()
        #expect(try row.bool("v") == value)
    }

    @Test("bytes come back unchanged", arguments: [0, 1, 2, 255, 256, 1 << 20])
    func bytes(_ count: Int) throws {
        let value = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let row = try connection.execute("SELECT \(value) AS v, length(\(value)) AS n").only()
        #expect(try row.bytes("v") == value)
        #expect(try row.int("n") == count)
    }

    @Test("arrays of bytes and of numbers come back unchanged")
    func otherArrays() throws {
        let digests: [[UInt8]] = [[], [0], Array(0...255)]
        let numbers: [Int64] = [.min, 0, .max]
        let row = try connection.execute(
            "SELECT \(digests)::bytea[] AS d, \(numbers)::bigint[] AS n, \([Int]())::bigint[] AS e"
        ).only()
        #expect(try row.bytesArray("d") == digests)
        #expect(try row.int64Array("n") == numbers)
        #expect(try row.int64Array("e") == [])
    }

    @Test("JSON comes back as the server wrote it")
    func json() throws {
        let text = #"{"a": [1, "'", null], "b": "日本"}"#
        let row = try connection.execute(
            "SELECT \(json: text)::jsonb AS v, \(json: Array(text.utf8))::json AS w"
        )
        .only()
        #expect(String(decoding: try row.json("v"), as: UTF8.self) == text)
        #expect(String(decoding: try row.json("w"), as: UTF8.self) == text)
    }

    @Test("NULL goes in and comes out as nil, for every type")
    func nulls() throws {
        let row = try connection.execute(
            """
            SELECT \(Int?.none)::bigint AS i, \(Int64?.none)::bigint AS l,
                   \(String?.none)::text AS s, \(Bool?.none)::bool AS b,
                   \(Double?.none)::float8 AS d, \([UInt8]?.none)::bytea AS y,
                   \([String]?.none)::text[] AS a, \(json: String?.none)::jsonb AS j
            """
        ).only()
        #expect(try row.intIfPresent("i") == nil)
        #expect(try row.int64IfPresent("l") == nil)
        #expect(try row.textIfPresent("s") == nil)
        #expect(try row.boolIfPresent("b") == nil)
        #expect(try row.doubleIfPresent("d") == nil)
        #expect(try row.bytesIfPresent("y") == nil)
        #expect(try row.textArrayIfPresent("a") == nil)
        #expect(try row.jsonIfPresent("j") == nil)
        let error = #expect(throws: PostgresError.self) { try row.int64("l") }
        #expect(error?.description == #"column "l": expected a whole number, got NULL"#)
    }

    @Test("a value of another form is a sentence with the column and what was found")
    func wrongForms() throws {
        let row = try connection.execute(
            "SELECT 'twelve' AS n, '12' AS b, '{{1,2},{3,4}}'::int[] AS deep, '\(raw: "x")' AS y"
        ).only()
        func message(_ body: () throws -> Void) -> String? {
            (#expect(throws: PostgresError.self, performing: body))?.description
        }
        #expect(
            message { _ = try row.int("n") }
                == #"column "n": expected a whole number, got 'twelve'"#
        )
        #expect(message { _ = try row.bool("b") } == #"column "b": expected t or f, got '12'"#)
        #expect(
            message { _ = try row.int64Array("deep") }
                == #"column "deep": expected an array of whole numbers, got '{{1,2},{3,4}}'"#
        )
        #expect(
            message { _ = try row.bytes("y") }
                == #"column "y": expected bytea in hex form, got 'x'"#
        )
        #expect(
            message { _ = try row.int("missing") }
                == #"column "missing": expected in the result, got columns "n", "b", "deep", "y""#
        )
        #expect(
            message { _ = try connection.execute("SELECT 1 WHERE false").only() }
                == "result: expected 1 row, got 0"
        )
    }

    @Test(
        "identifiers stay one name whatever they contain",
        arguments: ["a", "A b", "x\"y", "\"; DROP"]
    )
    func identifiers(_ name: String) throws {
        let row = try connection.execute("SELECT 1 AS \(identifier: name)").only()
        #expect(try row.int(name) == 1)
    }

    @Test("text with a NUL byte is refused, not cut short")
    func nulBytes() throws {
        let error = #expect(throws: PostgresError.self) {
            try connection.execute("SELECT \("ab\u{0}c")::text")
        }
        #expect(error?.kind == .invalidInput)
        #expect(
            error?.message.contains("value $1: expected text without NUL bytes, got one at byte 2")
                == true
        )
        #expect(throws: PostgresError.self) { try connection.executeScript("SELECT 1\u{0}; DROP") }
        try connection.ping()
    }

    @Test("rows come in order, with their count and the changed rows")
    func rows() throws {
        let result = try connection.execute("SELECT n FROM generate_series(1, \(1000)::int) AS n")
        #expect(result.count == 1000)
        #expect(try result.map { try $0.int("n") } == Array(1...1000))
        try connection.executeScript("CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2)")
        #expect(try connection.execute("DELETE FROM t").affectedRows == 2)
    }
}
