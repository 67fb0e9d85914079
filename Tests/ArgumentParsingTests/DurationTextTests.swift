import ArgumentParsing
import Testing

@Suite("DurationText")
struct DurationTextTests {
    @Test(
        "units are read and added",
        arguments: [
            ("30s", Duration.seconds(30)), ("5m", .seconds(300)), ("2h", .seconds(7200)),
            ("1d", .seconds(86_400)), ("250ms", .milliseconds(250)), ("1h30m", .seconds(5400)),
            ("1.5h", .seconds(5400)), ("0", .zero), ("0s", .zero),
        ]
    )
    func parses(text: String, expected: Duration) {
        #expect(DurationText.parse(text) == expected)
    }

    @Test(
        "anything else is not a duration",
        arguments: [
            "", "5", "s", "-5s", "5 s", "5sec", "1s1s", "1e3s", "nan", "infs", ".s", "1..2s",
            "99999999d", "٣s",
        ]
    )
    func refuses(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(
        "durations are described by their two largest units",
        arguments: [
            (Duration.seconds(0), "0s"), (.milliseconds(250), "250ms"), (.seconds(12), "12s"),
            (.seconds(200), "3m 20s"), (.seconds(3600), "1h"), (.seconds(100_800), "1d 4h"),
            (.seconds(-65), "-1m 5s"),
        ]
    )
    func describes(duration: Duration, expected: String) {
        #expect(DurationText.describe(duration) == expected)
    }
}
