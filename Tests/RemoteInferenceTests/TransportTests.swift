import Foundation
import Hashing
import Inference
import Testing

@testable import RemoteInference

@Suite("Between an engine and its server")
struct TransportTests {
    @Test("waits double, each a little different, within bounds")
    func waits() {
        var random = SeededBytes(seed: 7)
        let plan = RetryPlan(retries: 3)
        for (tries, longest) in [(1, 500), (2, 1000), (3, 2000)] {
            var seen: Set<Duration> = []
            for _ in 0..<20 {
                let wait = plan.delay(
                    after: RemoteFault(.unreachable, ""),
                    tries: tries,
                    using: &random
                )
                guard let wait else {
                    Issue.record("no wait")
                    return
                }
                #expect(wait >= .milliseconds(longest / 2) && wait <= .milliseconds(longest))
                seen.insert(wait)
            }
            #expect(seen.count > 5)
        }
        func delay(_ fault: RemoteFault, _ tries: Int) -> Duration? {
            plan.delay(after: fault, tries: tries, using: &random)
        }
        #expect(delay(RemoteFault(.timeout, ""), 4) == nil)
        for kind in [RemoteFault.Kind.refused, .malformed, .host] {
            #expect(delay(RemoteFault(kind, ""), 1) == nil)
        }
        #expect(delay(RemoteFault(.busy, "", retryAfter: .seconds(31)), 1) == nil)
        let asked = delay(RemoteFault(.busy, "", retryAfter: .seconds(20)), 1)
        #expect(asked.map { $0 >= .seconds(20) && $0 < .seconds(21) } == true)
    }

    @Test("curl is told everything in a file, quoted")
    func configuration() {
        let text = CurlConfiguration(
            request: HTTPRequest(
                url: "http://h/v1/a\"b",
                body: { [1] },
                key: "k\\e\"y",
                authorityFile: "/a b",
                timeout: .milliseconds(1500)
            )
        ).text
        let lines = text.split(separator: "\n")
        #expect(lines.contains(#"url = "http://h/v1/a\"b""#))
        #expect(lines.contains(#"header = "Authorization: Bearer k\\e\"y""#))
        #expect(lines.contains(#"cacert = "/a b""#))
        #expect(lines.contains(#"max-time = "1.5""#))
        #expect(lines.contains(#"data-binary = "@-""#))
        #expect(!text.contains("location") && !text.contains("insecure"))
    }

    @Test("who waits at the gate and is cancelled leaves, the others come in")
    func gate() async throws {
        let gate = RequestGate(places: 1)
        let (entered, enter) = AsyncStream.makeStream(of: Void.self)
        let (finished, finish) = AsyncStream.makeStream(of: Void.self)
        let first = Task {
            try await gate.pass {
                enter.yield()
                for await _ in finished { break }
            }
        }
        for await _ in entered { break }
        let waiting = Task { try await gate.pass { 2 } }
        let other = Task { try await gate.pass { 3 } }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        finish.yield()
        try await first.value
        #expect(try await other.value == 3)
        #expect(try await gate.pass { 4 } == 4)
    }

    @Test(
        "certificates are verified, by the authority that is named",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"))
    )
    func certificates() async throws {
        let server = try TLSServer()
        let model = try RemoteBench.model(server.url) { $0.retries = 0 }
        let fault = await #expect(throws: RemoteFault.self) { try await model.engine() }
        #expect(fault?.kind == .refused, "\(String(describing: fault))")
        #expect(fault?.description.contains("ca-file") == true)
        let trusting = try RemoteBench.model(server.url) { $0.authorityFile = server.certificate }
        #expect(try await trusting.engine().modelDigest.hex.count == 64)
    }
}
