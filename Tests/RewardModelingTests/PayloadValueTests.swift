import RewardModeling
import Testing

@Suite("JSON values")
struct PayloadValueTests {
    @Test("text comes out compact, with sorted keys and the shortest numbers")
    func text() {
        let value = PayloadValue.object([
            "b": .array([.null, .bool(true), .number(3.7), .number(-2), .number(1e-7)]),
            "a": .string("\"\\\n\u{1}é🙂/"),
        ])
        #expect(value.json == #"{"a":"\"\\\n\u0001é🙂/","b":[null,true,3.7,-2,1e-07]}"#)
    }

    @Test(
        "no number that JSON lacks is ever written",
        arguments: [Double.nan, .infinity, -.infinity]
    )
    func nonFinite(value: Double) {
        #expect(PayloadValue.array([.number(value)]).json == "[null]")
    }

    @Test(
        "what is not JSON is nil",
        arguments: ["", "{", "nul", "{\"a\":01}", "{'a':1}", "\u{feff}"]
    )
    func invalid(text: String) {
        #expect(PayloadValue(json: text.utf8) == nil)
    }

    @Test("bytes that are not UTF-8 are nil, and so is bottomless nesting")
    func hostile() {
        #expect(PayloadValue(json: [0x22, 0xff, 0xfe, 0x22]) == nil)
        let deep = String(repeating: "[", count: 100_000)
        #expect(PayloadValue(json: deep.utf8) == nil)
    }

    @Test("what was written reads back as the same value", arguments: 0..<50 as Range<UInt64>)
    func roundTrip(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let value = PayloadValue.array([Self.value(&random, depth: 4)])
        #expect(PayloadValue(json: value.json.utf8) == value, "seed \(seed): \(value.json)")
    }

    private static func value(_ random: inout SeededGenerator, depth: Int) -> PayloadValue {
        switch Int.random(in: 0..<(depth > 0 ? 6 : 4), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .number(Double(bitPattern: random.next()).finiteOrZero)
        case 3: return .string(string(&random))
        case 4:
            return .array(
                (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                    value(&random, depth: depth - 1)
                }
            )
        default:
            var fields: [String: PayloadValue] = [:]
            for _ in 0..<Int.random(in: 0..<4, using: &random) {
                fields[string(&random)] = value(&random, depth: depth - 1)
            }
            return .object(fields)
        }
    }

    private static func string(_ random: inout SeededGenerator) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<8, using: &random) {
            let ranges: [ClosedRange<UInt32>] = [0...0x7f, 0xa0...0x7ff, 0x1f300...0x1f5ff]
            let range = ranges[Int.random(in: 0..<3, using: &random)]
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) {
                text.append(scalar)
            }
        }
        return String(text)
    }
}

extension Double {
    fileprivate var finiteOrZero: Double { isFinite ? self : 0 }
}
