import Testing

@Suite("rewardbench chaos")
struct ChaosCommandTests {
    @Test("help says what is done and how it ends")
    func help() throws {
        let directory = try ScratchDirectory()
        let help = try RewardbenchProcess.run(["chaos", "--help"], in: directory)
        #expect(help.status == 0)
        for word in [
            "--minutes", "--daemons", "--seed", "--model", "--operations", "--keep", "--json",
        ] {
            #expect(help.output.contains(word), "\(word)")
        }
        #expect(help.output.contains("130"))
        let whole = try RewardbenchProcess.run(["--help"], in: directory)
        #expect(whole.output.contains("\n  chaos"))
    }

    @Test("what cannot be run is refused before anything is started")
    func refusals() throws {
        let directory = try ScratchDirectory()
        let none = try RewardbenchProcess.run(["chaos", "--daemons", "0"], in: directory)
        #expect(none.status == 2)
        let model = try RewardbenchProcess.run(["chaos", "--model", "missing"], in: directory)
        #expect(model.status == 3)
        #expect(model.messages.contains("missing: expected the directory of a checkpoint"))
        let kept = try RewardbenchProcess.run(["chaos", "--keep", "."], in: directory)
        #expect(kept.status == 1)
        #expect(kept.messages.contains("expected a new or empty directory"))
    }
}
