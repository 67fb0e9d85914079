import Foundation
import JSONReading
import Testing

@Suite("JSONReader")
struct JSONReaderTests {
    @Test(
        "replaces what PostgreSQL cannot store, where that is asked for",
        arguments: [
            (#""a\u0000b""#, "a\u{fffd}b"), (#""\ud800""#, "\u{fffd}"),
            (#""\ud800\u0041""#, "\u{fffd}A"), (#""\udc00\ud83d\ude00""#, "\u{fffd}😀"),
            (#""\ud800\n""#, "\u{fffd}\n"),
        ]
    )
    func replaces(text: String, value: String) throws {
        #expect(try JSONReader.read(Array(text.utf8), unstorable: .replaced).text == value)
        #expect(throws: JSONSyntaxError.self) { try JSONReader.read(Array(text.utf8)) }
    }

    @Test(
        "values keep numbers and order as they were written",
        arguments: [
            (
                #" {"b":1.50,"a":[true,false,null,-0,1E+9]} "#,
                #"{"b":1.50,"a":[true,false,null,-0,1E+9]}"#
            ),
            (#""\u00e9\ud83d\ude00\/\n\u001f""#, "\"é😀/\\n\\u001f\""),
            ("12345678901234567890123", "12345678901234567890123"), ("[ ]", "[]"), ("{ }", "{}"),
        ]
    )
    func roundTrip(text: String, expected: String) throws {
        #expect(try JSONReader.read(Array(text.utf8)).json == expected)
    }

    @Test(
        "what is not JSON is refused at the byte that does not fit",
        arguments: [
            ("", 0), ("[1,]", 3), ("{\"a\" 1}", 5), ("01", 0), ("1.", 2), ("tru", 0), ("\"a", 0),
            ("\"\t\"", 1), ("\"\\x\"", 2), ("\"\\ud800\"", 1), ("\"\\u0000\"", 1), ("1 2", 2),
            ("{a:1}", 1), ("nan", 0), ("-", 1), ("\"\\u12", 3),
        ]
    )
    func refuses(text: String, offset: Int) {
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONReader.read(Array(text.utf8))
        }
        #expect(error?.offset == offset, "\(text): \(error?.message ?? "")")
        #expect(error?.message.hasPrefix("expected ") == true)
    }

    @Test("deep nesting is refused before the stack ends")
    func depth() throws {
        let shallow = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        _ = try JSONReader.read(Array(shallow.utf8))
        let deep = String(repeating: "[", count: 1_000_000)
        #expect(throws: JSONSyntaxError.self) { try JSONReader.read(Array(deep.utf8)) }
    }

    @Test("bytes that are not UTF-8 are refused")
    func invalidText() {
        #expect(throws: JSONSyntaxError.self) { try JSONReader.read([0x22, 0xFF, 0x22]) }
        #expect(throws: JSONSyntaxError.self) { try JSONReader.read([0xFF]) }
    }

    @Test("mutated documents are read or refused as Foundation does", arguments: [7, 8, 9])
    func fuzz(seed: UInt64) {
        var random = SeededRandom(state: seed)
        let source = Array(
            #"{"caption":"a \u00e9 \"x\"","n":[-1.5e3,0,true,null],"image":{"path":"/a"}}"#.utf8
        )
        for round in 0..<4000 {
            var bytes = source
            for _ in 0...random.next(below: 3) {
                let place = random.next(below: bytes.count)
                switch random.next(below: 3) {
                case 0: bytes[place] = UInt8(random.next(below: 256))
                case 1: bytes.remove(at: place)
                default: bytes.insert(source[random.next(below: source.count)], at: place)
                }
            }
            let foundation = try? JSONSerialization.jsonObject(
                with: Data(bytes),
                options: .fragmentsAllowed
            )
            let own = try? JSONReader.read(bytes)
            // Stricter than Foundation in places, never laxer, but for numbers beyond a double, which
            // PostgreSQL keeps.
            if let own, foundation == nil {
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(text.contains(/[eE][+-]?\d{3}/), "seed \(seed), round \(round): \(text)")
                #expect(JSONReader.read(own.json) == own)
            }
        }
    }
}

/// Vigna's SplitMix64: the same numbers for the same seed everywhere.
struct SeededRandom {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
