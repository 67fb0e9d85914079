import Testing

@Suite("rewardbench matmul")
struct MatmulCommandTests {
    @Test("the version names the kernels that a measurement then says it ran with")
    func kernels() throws {
        let directory = try ScratchDirectory()
        let version = try RewardbenchProcess.run(["--version"], in: directory).output
        let name = try #require(
            version.firstMatch(
                of: /^rewardbench 0\..* \(kernels: ([a-z0-9-]+), int8 and int4: [a-z0-9-]+\)\n$/
            )?.1
        )
        let arguments = [
            "matmul", "--threads", "1", "--precision", "bf16", "--shape", "7,5,40", "--repeats",
            "1",
        ]
        let table = try RewardbenchProcess.run(arguments, in: directory)
        #expect(table.status == 0, "\(table.messages)")
        #expect(table.output.hasPrefix("kernels: \(name)\n"))
        let json = try RewardbenchProcess.run(arguments + ["--json"], in: directory)
        #expect(json.output.hasPrefix("{\"kernels\": \"\(name)\", "))
    }
}
