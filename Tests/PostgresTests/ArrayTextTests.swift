import Testing

@testable import Postgres

@Suite("Array text")
struct ArrayTextTests {
    private func decode(_ text: String) -> [String?]? {
        Array(text.utf8).withUnsafeBytes { ArrayText.decode($0) }
    }

    @Test("what the server writes is read")
    func forms() {
        #expect(decode("{}") == [])
        #expect(decode("{a,NULL,\"NULL\",\"\"}") == ["a", nil, "NULL", ""])
        #expect(decode(#"{"a\"b","c\\d","e,f","{g}"}"#) == ["a\"b", "c\\d", "e,f", "{g}"])
    }

    @Test("arrays of bytes are written in the server's form")
    func bytes() {
        #expect(ArrayText.encode(bytes: []) == Array("{}".utf8))
        #expect(
            ArrayText.encode(bytes: [[], [0, 0x9f, 0xa0, 255]])
                == Array(#"{"\\x","\\x009fa0ff"}"#.utf8)
        )
    }

    @Test("text is quoted, and escaped where it must be")
    func quoted() {
        #expect(ArrayText.encode(["a b", #"a"b\c"#, ""]) == #"{"a b","a\"b\\c",""}"#)
    }

    @Test(
        "anything else is nil",
        arguments: [
            "", "{", "}", "a", "{a", "{a,", "{a,}", "{,a}", "{a}b", "{\"a}", "{\"a\\", "{\"a\"b}",
            "{{a}}", "[0:1]={a,b}", "{a\"b}",
        ]
    )
    func refused(_ text: String) {
        #expect(decode(text) == nil)
    }

    @Test("random arrays come back, and damage to them never crashes")
    func fuzz() {
        let seed = UInt64.random(in: .min ... .max)
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let alphabet: [Character] = ["\"", "\\", ",", "{", "}", " ", "N", "é", "\n", "a"]
        for _ in 0..<3000 {
            let elements: [String?] = (0..<next(5)).map { _ in
                next(6) == 0
                    ? nil : String((0..<next(6)).map { _ in alphabet[next(alphabet.count)] })
            }
            let text = ArrayText.encode(elements)
            #expect(decode(text) == elements, "seed \(seed): \(text)")
            var bytes = Array(text.utf8)
            bytes[next(bytes.count)] = UInt8(truncatingIfNeeded: next(256))
            _ = bytes.prefix(next(bytes.count + 1)).withUnsafeBytes { ArrayText.decode($0) }
            _ = bytes.withUnsafeBytes { HexText.decode($0) }
        }
    }

    @Test("bytes in hex come back, and other text is nil")
    func hex() {
        for count in [0, 1, 2, 255] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            let text = Array(HexText.encode(bytes).utf8)
            #expect(text.withUnsafeBytes { HexText.decode($0) } == bytes)
        }
        for text in ["", "\\", "\\x0", "00", "\\xzz", "\\X00"] {
            #expect(Array(text.utf8).withUnsafeBytes { HexText.decode($0) } == nil)
        }
    }
}
