import Foundation
import Inference
import TestSupport
import Testing

@testable import RemoteInference

@Suite("A server that misbehaves")
struct MisbehavingServerTests {
    private typealias Reply = HTTPStub.Reply

    @Test("fails once and is asked again")
    func failsOnce() async throws {
        let stub = try RemoteBench.stub { _, number in
            number == 0 ? .json("{}", status: 500) : .json(RemoteBench.answer("fine"))
        }
        let model = try RemoteBench.model(stub.url)
        let response = try await model.engine().generate(RemoteBench.prompt("?"))
        #expect(response.text == "fine")
        #expect(model.status.failed == 1 && model.status.answered == 2)
        #expect(model.status.isReachable == true && model.status.inFlight == 0)
        #expect(model.status.lastError?.contains("status 500") == true)
    }

    @Test("asks for a pause, and gets it when it is short")
    func pause() async throws {
        let stub = try RemoteBench.stub { _, number in
            number == 0
                ? .answer(status: 429, type: "text/plain", fields: ["Retry-After": "1"], body: [])
                : .json(RemoteBench.answer("fine"))
        }
        let engine = try await RemoteBench.engine(on: stub)
        let start = ContinuousClock.now
        #expect(try await engine.generate(RemoteBench.prompt("?")).text == "fine")
        #expect(start.duration(to: .now) >= .seconds(1))

        let busy = try RemoteBench.stub { _, _ in
            .answer(status: 503, type: "text/plain", fields: ["Retry-After": "3600"], body: [])
        }
        let fault = await fault(on: busy)
        #expect(fault?.kind == .busy && fault?.retryAfter == .seconds(3600))
        #expect(busy.requests.count == 2)
    }

    @Test("does not answer in time")
    func slow() async throws {
        let stub = try RemoteBench.stub { _, _ in .nothing }
        let start = ContinuousClock.now
        let fault = await fault(on: stub) { $0.timeout = .milliseconds(400) }
        #expect(fault?.kind == .timeout)
        #expect(start.duration(to: .now) < .seconds(5))
        await stub.hungUp()
    }

    @Test("is left within a second when nobody waits for it any more")
    func cancelled() async throws {
        let stub = try RemoteBench.stub { _, _ in .nothing }
        let engine = try await RemoteBench.engine(on: stub) { $0.timeout = .seconds(60) }
        let task = Task { try await engine.generate(RemoteBench.prompt("?")) }
        while stub.requests.count < 2 { await Task.yield() }
        let start = ContinuousClock.now
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await stub.hungUp()
        #expect(start.duration(to: .now) < .seconds(1))
    }

    @Test(
        "answers with what is no answer",
        arguments: [
            (#"{"choices": [{"message": {"content": "cut"#, "that are none"),
            ("[]", "choices: expected a list"), (#"{"choices": []}"#, "choices:"), ("", "0 bytes"),
            (#"{"choices": [{"finish_reason": "stop"}]}"#, "message.content: expected"),
            (
                #"{"choices": [{"message": {"content": 7}, "finish_reason": "stop"}]}"#,
                "content: expected a string, got a number"
            ),
        ]
    )
    func malformed(text: String, sentence: String) async throws {
        try await refuses(.json(text), sentence)
    }

    @Test(
        "answers with text that cannot be stored as it is",
        arguments: [
            (#""a\u0000b""#, "a\u{fffd}b"), (#""\ud83d""#, "\u{fffd}"),
            (#""\ud83dx\ude00\u00e9""#, "\u{fffd}x\u{fffd}é"), (#""\ud83d\ude00""#, "😀"),
            ("null", ""),
        ]
    )
    func unstorable(content: String, text: String) async throws {
        let stub = try RemoteBench.stub { _, _ in
            .json(#"{"choices": [{"message": {"content": \#(content)}, "finish_reason": "stop"}]}"#)
        }
        let engine = try await RemoteBench.engine(on: stub)
        #expect(try await engine.generate(RemoteBench.prompt("?")).text == text)
    }

    @Test("is given no more work until it answers, when it takes no connection")
    func outage() async throws {
        let first = try RemoteBench.stub { _, _ in .json(RemoteBench.answer("fine")) }
        let model = try RemoteBench.model(first.url) { $0.retries = 0 }
        let engine = try await model.engine()
        _ = try await engine.generate(RemoteBench.prompt("?"))
        #expect(model.takesWork)
        let port = first.port
        first.stop()
        let fault = await #expect(throws: RemoteFault.self) {
            try await engine.generate(RemoteBench.prompt("?"))
        }
        #expect(fault?.kind == .unreachable && fault?.isOutage == true)
        #expect(!model.takesWork)
        let second = try HTTPStub(port: port) { request, _ in
            RemoteBench.pair.reply(to: request)
        }
        // Not before a second has passed.
        await model.probe()
        #expect(!model.takesWork && second.requests.isEmpty)
        let start = ContinuousClock.now
        while !model.takesWork, start.duration(to: .now) < .seconds(30) {
            await model.probe()
            await Task.yield()
        }
        #expect(model.takesWork && second.requests.count == 1)
    }

    @Test("answers with what is no JSON, and no HTTP")
    func otherThings() async throws {
        let page = Array("<p>".utf8)
        try await refuses(
            .answer(status: 200, type: "text/html", fields: [:], body: page),
            "expected application/json, got \"text/html\""
        )
        try await refuses(
            .bytes(Array("hello\r\n\r\n".utf8)),
            "expected an answer by HTTP/1.1"
        )
    }

    @Test("answers with more than is taken, or without an end")
    func tooMuch() async throws {
        let body = [UInt8](repeating: UInt8(ascii: " "), count: 9 << 20)
        try await refuses(
            .answer(status: 200, type: "application/json", fields: [:], body: body),
            "at most 8388608 bytes"
        )
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n["
        let chunk = [UInt8](repeating: UInt8(ascii: "1"), count: 1 << 16)
        try await refuses(.flood(head: Array(head.utf8), chunk: chunk), "at most 8388608 bytes")
    }

    private func refuses(_ reply: Reply, _ sentence: String) async throws {
        let stub = try RemoteBench.stub { _, _ in reply }
        let fault = await fault(on: stub)
        #expect(fault?.kind == .malformed, "\(String(describing: fault))")
        #expect(fault?.description.contains(sentence) == true, "\(String(describing: fault))")
        #expect(fault?.description.hasPrefix("http://127.0.0.1:") == true)
        // Asked once: the next answer would be no better.
        #expect(stub.requests.count == 2)
    }

    @Test(
        "breaks off",
        arguments: [
            Reply.bytes(Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".utf8)),
            .bytes([]), .bytes(Array("HTTP/1.1 200 OK\r\nContent-Le".utf8)),
            .flood(
                head: Array("HTTP/1.1 200 OK\r\n".utf8),
                chunk: Array("X-Field: \(String(repeating: "x", count: 4000))\r\n".utf8)
            ),
        ]
    )
    private func breaksOff(reply: Reply) async throws {
        let stub = try RemoteBench.stub { _, _ in reply }
        let fault = await fault(on: stub) { $0.retries = 0 }
        #expect(
            fault?.kind == .interrupted || fault?.kind == .malformed,
            "\(String(describing: fault))"
        )
        #expect(stub.requests.count == 2)
    }

    @Test("sends somewhere else, where nobody goes")
    func redirects() async throws {
        let other = try RemoteBench.stub { request, _ in RemoteBench.pair.reply(to: request) }
        let place = "http://127.0.0.1:\(other.port)/v1/chat/completions"
        let stub = try RemoteBench.stub { _, _ in
            .answer(status: 307, type: "text/plain", fields: ["Location": place], body: [])
        }
        let fault = await fault(on: stub)
        #expect(fault?.kind == .refused)
        #expect(fault?.description.contains("redirect to \(place)") == true)
        #expect(stub.requests.count == 2 && other.requests.isEmpty)
    }

    @Test("is not there")
    func absent() async throws {
        let stub = try RemoteBench.stub { _, _ in .nothing }
        let url = stub.url
        stub.stop()
        let model = try RemoteBench.model(url) { $0.retries = 0 }
        let fault = await #expect(throws: RemoteFault.self) { try await model.engine() }
        #expect(fault?.kind == .unreachable)
        #expect(model.status.isReachable == false && model.status.failed == 1)
    }

    @Test("says no to one request, with a sentence of its own")
    func saysNo() async throws {
        let stub = try RemoteBench.stub { _, _ in
            .json(#"{"error": {"message": "too \u001b[31m long\nby far"}}"#, status: 400)
        }
        let engine = try await RemoteBench.engine(on: stub)
        let refusal = await #expect(throws: RemoteRefusal.self) {
            try await engine.generate(RemoteBench.prompt("?"))
        }
        #expect(refusal?.code == "remote_refused")
        #expect(refusal?.message.hasSuffix("status 400: too [31m long by far") == true)
        #expect(stub.requests.count == 2)
    }

    @Test("is shown the key of a file, which no sentence repeats")
    func key() async throws {
        let file = FileManager.default.temporaryDirectory
            .appending(path: "rewardd-key-\(UUID().uuidString)")
        try Data("sk-\"secret\\4711\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let stub = try HTTPStub { _, _ in
            .json(#"{"error": {"message": "bad key sk-\"secret\\4711!"}}"#, status: 401)
        }
        let model = try RemoteBench.model(stub.url) { $0.apiKeyFile = file.path }
        let fault = await #expect(throws: RemoteFault.self) { try await model.engine() }
        #expect(stub.requests.map { $0.fields["authorization"] } == ["Bearer sk-\"secret\\4711"])
        #expect(fault?.kind == .refused)
        #expect(fault?.description.contains("secret") == false)
        #expect(fault?.description.contains("bad key [key]!") == true)

        try Data("two\nlines".utf8).write(to: file)
        let other = await #expect(throws: RemoteFault.self) { try await model.engine() }
        #expect(other?.kind == .host && other?.description.contains("two") == false)
        #expect(stub.requests.count == 1)
    }

    @Test("is asked by so many at a time and no more")
    func concurrency() async throws {
        let stub = try RemoteBench.stub { _, _ in
            usleep(20_000)
            return .json(RemoteBench.answer("fine"))
        }
        let engine = try await RemoteBench.engine(on: stub) { $0.concurrency = 3 }
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<12 {
                group.addTask { try await engine.generate(RemoteBench.prompt("?")).text }
            }
            for try await text in group { #expect(text == "fine") }
        }
        #expect(stub.mostActive <= 3 && stub.mostActive > 1)
    }

    /// How the first question to a server ends.
    private func fault(
        on stub: HTTPStub,
        change: (inout RemoteEngineOptions) -> Void = { _ in }
    ) async -> RemoteFault? {
        do {
            let engine = try await RemoteBench.engine(on: stub, change: change)
            return await #expect(throws: RemoteFault.self) {
                try await engine.generate(RemoteBench.prompt("?"))
            }
        } catch {
            Issue.record(error)
            return nil
        }
    }
}
