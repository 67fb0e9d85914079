import Logging
import Testing

/// What breaks silently: a value from outside that ends the line or forges a key.
@Suite("Log lines")
struct LogLineTests {
    private func line(_ metadata: [(key: String, value: LogValue)]) -> LogLine {
        LogLine(time: 1_795_379_467.412, level: .info, message: "job completed", metadata: metadata)
    }

    @Test("a line has time, level, message and the metadata in order")
    func golden() {
        let text = line([
            (key: "job.id", value: 4711), (key: "job.kind", value: "pair_rank"),
            (key: "run.s", value: 6.25), (key: "reused", value: false),
        ]).formatted()
        #expect(
            text == "ts=2026-11-22T20:31:07.412Z level=info msg=\"job completed\" job.id=4711 "
                + "job.kind=pair_rank run.s=6.25 reused=false"
        )
    }

    @Test("for the journal a line begins with its priority and has no time")
    func journal() {
        let priorities = LogLevel.allCases.map { level in
            LogLine(time: 0, level: level, message: "m", metadata: []).formatted(prefix: .journal)
        }
        #expect(
            priorities == [
                "<7>level=debug msg=\"m\"", "<6>level=info msg=\"m\"", "<5>level=notice msg=\"m\"",
                "<4>level=warning msg=\"m\"", "<3>level=error msg=\"m\"",
            ]
        )
    }

    @Test(
        "values that are not plain text are quoted and escaped",
        arguments: [
            ("plain/path-1.png", "plain/path-1.png"),
            ("", #""""#),
            ("two words", #""two words""#),
            ("a=b", #""a=b""#),
            ("say \"hi\"", #""say \"hi\"""#),
            ("back\\slash", #""back\\slash""#),
            ("line\nbreak\r\t", #""line\nbreak\r\t""#),
            ("\u{1b}[31mred\u{0}", #""\u001b[31mred\u0000""#),
            ("x\u{202e}y\u{2028}z\u{85}", #""x\u202ey\u2028z\u0085""#),
            ("日本語", "\"日本語\""),
            ("\" level=error msg=\"forged", #""\" level=error msg=\"forged""#),
        ]
    )
    func escaping(_ value: String, _ written: String) {
        let text = line([(key: "k", value: LogValue(value))]).formatted(prefix: .journal)
        #expect(text == "<6>level=info msg=\"job completed\" k=\(written)")
    }

    @Test("a long value is cut and says how long it was")
    func longValues() {
        let text = line([(key: "k", value: LogValue(String(repeating: "é", count: 5000)))])
            .formatted(prefix: .journal)
        #expect(text.hasSuffix("é… (10000 bytes)\""))
        #expect(text.utf8.count < 2200)
    }

    @Test("a key cannot break the line")
    func keys() {
        let text = line([(key: "a b=\n\"", value: 1), (key: "", value: 2)])
            .formatted(prefix: .journal)
        #expect(text == "<6>level=info msg=\"job completed\" a_b___=1 _=2")
    }

    @Test("random values never end the line or close their quotes early")
    func fuzz() {
        let seed = UInt64.random(in: .min ... .max)
        var state = seed
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        let alphabet: [Unicode.Scalar] = [
            "\"", "\\", "\n", "=", " ", "a", "\u{0}", "é", "\u{2028}",
        ]
        for _ in 0..<2000 {
            var value = ""
            for _ in 0..<(next() % 12) {
                value.unicodeScalars.append(alphabet[Int(next() % UInt64(alphabet.count))])
            }
            let text = line([(key: "k", value: LogValue(value)), (key: "end", value: 1)])
                .formatted(prefix: .journal)
            #expect(!text.contains("\n") && text.hasSuffix(" end=1"), "seed \(seed)")
            #expect(unquoted(text) == value, "seed \(seed): \(text)")
        }
    }

    /// What a logfmt reader makes of the value of `k`.
    private func unquoted(_ line: String) -> String? {
        guard let start = line.ranges(of: " k=").first?.upperBound else { return nil }
        let rest = line[start...].dropLast(" end=1".count)
        guard rest.first == "\"" else { return String(rest) }
        var result = String.UnicodeScalarView()
        var scalars = Array(rest.unicodeScalars.dropFirst().dropLast())[...]
        while let scalar = scalars.popFirst() {
            guard scalar == "\\" else {
                if scalar == "\"" { return nil }
                result.append(scalar)
                continue
            }
            switch scalars.popFirst() {
            case "n": result.append("\n")
            case "r": result.append("\r")
            case "t": result.append("\t")
            case "u":
                let digits = String(String.UnicodeScalarView(scalars.prefix(4)))
                scalars = scalars.dropFirst(4)
                guard let scalar = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init) else {
                    return nil
                }
                result.append(scalar)
            case let other?: result.append(other)
            case nil: return nil
            }
        }
        return String(result)
    }

    @Test("times are written in UTC with milliseconds")
    func timestamps() {
        #expect(LogLine.timestamp(0) == "1970-01-01T00:00:00.000Z")
        #expect(LogLine.timestamp(951_827_696.9999) == "2000-02-29T12:34:56.999Z")
    }
}
