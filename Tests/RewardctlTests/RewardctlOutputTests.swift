import Testing

@testable import rewardctl

@Suite("rewardctl output")
struct RewardctlOutputTests {
    @Test("columns align by display width and numbers sit flush right")
    func table() {
        var table = Table([.init("ID", numeric: true), .init("NAME"), .init("NOTE")])
        table.append(["7", "日本", "a"])
        table.append(["1234", "x", "b\tc"])
        #expect(
            table.lines(width: nil) == [
                "  ID  NAME  NOTE", "   7  日本  a", "1234  x     b c",
            ]
        )
    }

    @Test("wide columns shrink to the terminal, others stay")
    func shrinking() {
        var table = Table([.init("ID"), .init("NOTE", mayShrink: true)])
        table.append(["identifier", String(repeating: "long ", count: 20)])
        let lines = table.lines(width: 30)
        #expect(lines.allSatisfy { DisplayWidth.of($0) <= 30 })
        #expect(lines.last?.hasSuffix("…") == true)
        #expect(lines.last?.hasPrefix("identifier  long") == true)
    }

    @Test("CSV quotes what it must")
    func csv() {
        #expect(
            CSVLine.text(["a", "b,c", "d\"e", "f\ng", "é"]) == "a,\"b,c\",\"d\"\"e\",\"f\ng\",é"
        )
    }

    @Test("the bar shows all only when all is done")
    func bar() {
        #expect(ProgressBar.bar(done: 0, total: 10, width: 4) == "[░░░░]")
        #expect(ProgressBar.bar(done: 9, total: 10, width: 4) == "[███░]")
        #expect(ProgressBar.bar(done: 10, total: 10, width: 4) == "[████]")
        #expect(ProgressBar.bar(done: 20, total: 10, width: 4) == "[████]")
        #expect(ProgressBar.bar(done: 0, total: 0, width: 4) == "[░░░░]")
        #expect(ProgressBar.percent(done: 999, total: 1000) == "99 %")
    }

    @Test("the rate is measured over the last minute")
    func rate() {
        var rate = RateEstimate()
        let start = ContinuousClock.now
        rate.note(done: 0, at: start)
        #expect(rate.itemsPerSecond == nil)
        rate.note(done: 100, at: start + .seconds(10))
        #expect(rate.itemsPerSecond == 10)
        #expect(rate.timeLeft(remaining: 50) == .seconds(5))
        for second in stride(from: 20, through: 200, by: 10) {
            rate.note(done: 100 + Int64(second), at: start + .seconds(second))
        }
        #expect(rate.itemsPerSecond == 1)
    }

    @Test("numbers are grouped and rates take the unit that fits")
    func numbers() {
        #expect(NumberText.grouped(1_234_567) == "1,234,567")
        #expect(NumberText.grouped(-1000) == "-1,000")
        #expect(NumberText.grouped(999) == "999")
        #expect(NumberText.counted(1, "item") == "1 item")
        #expect(NumberText.rate(perSecond: 12.34) == "12.3/s")
        #expect(NumberText.rate(perSecond: 0.5) == "30/min")
        #expect(NumberText.rate(perSecond: 0.001) == "3.6/h")
        #expect(NumberText.brief(3.14159) == "3.142")
    }

    @Test("ages are short")
    func ages() {
        #expect(AgeText.brief(5) == "5s")
        #expect(AgeText.brief(200) == "3m20s")
        #expect(AgeText.brief(4000) == "66m")
        #expect(AgeText.brief(100_000) == "27h")
        #expect(AgeText.brief(1_000_000) == "11d")
        #expect(AgeText.brief(nil) == "")
    }
}
