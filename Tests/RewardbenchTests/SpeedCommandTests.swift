import Testing

@Suite("rewardbench peak and the speed of models")
struct SpeedCommandTests {
    @Test("peak says what the kernels of the version reach")
    func peak() throws {
        let directory = try ScratchDirectory()
        let result = try RewardbenchProcess.run(
            ["peak", "--threads", "1", "--repeats", "1", "--json"],
            in: directory
        )
        #expect(result.status == 0, "\(result.messages)")
        let rates = result.output.matches(
            of: /"(multiply_add_gflops|dot_gops|read_gb_per_s)": ([0-9.]+)/
        )
        #expect(rates.count == 3)
        #expect(rates.allSatisfy { (Double($0.2) ?? 0) > 0.1 }, "\(result.output)")
    }

    @Test("a shape or a precision that nobody knows is refused with those that are known")
    func refused() throws {
        let directory = try ScratchDirectory()
        for (arguments, expected) in [
            (["prefill", "--shape", "llava"], "llava-ov-7b"),
            (["decode", "--precision", "int3"], "Did you mean 'int8'?"),
            (["vision", "--tokens", "3"], "--tokens"),
        ] {
            let result = try RewardbenchProcess.run(arguments, in: directory)
            #expect(result.status == 2 && result.messages.contains(expected), "\(result.messages)")
        }
    }
}
