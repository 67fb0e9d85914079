import Foundation
import JSONReading
import Logging
import Synchronization

/// One server: sends it requests, so many at a time, tries again what may pass, and remembers how it went.
final class RemoteServer: Sendable {
    let options: RemoteEngineOptions
    private let client: CurlClient
    private let gate: RequestGate
    private let logger: Logger
    private let state = Mutex(RemoteStatus())

    init(options: RemoteEngineOptions, client: CurlClient, logger: Logger) {
        self.options = options
        self.client = client
        self.logger = logger
        gate = RequestGate(places: options.concurrency)
    }

    var status: RemoteStatus { state.withLock { $0 } }

    /// The document that a path answers with; what `body` makes is posted when given.
    ///
    /// Throws `RemoteFault`, `RemoteRefusal` and `CancellationError`.
    /// - Parameter retries: Tries after the first; nil for as many as the options say.
    func ask(
        _ path: String,
        retries: Int? = nil,
        body: (@Sendable () -> [UInt8])? = nil
    ) async throws -> (JSONNode, seconds: Double) {
        var tries = 0
        var generator = SystemRandomNumberGenerator()
        while true {
            tries += 1
            do {
                // The place is given back before a wait: others may have more luck.
                return try await gate.pass { try await once(path, body) }
            } catch let fault as RemoteFault {
                let plan = RetryPlan(retries: retries ?? options.retries)
                guard let wait = plan.delay(after: fault, tries: tries, using: &generator) else {
                    throw fault
                }
                logger.info(
                    "request to a remote engine is tried again",
                    [
                        "engine": LogValue(options.name), "error": LogValue(fault),
                        "try": LogValue(tries), "wait.s": LogValue(wait / .seconds(1)),
                    ]
                )
                try await Task.sleep(for: wait)
            }
        }
    }

    private func once(
        _ path: String,
        _ body: (@Sendable () -> [UInt8])?
    ) async throws -> (JSONNode, seconds: Double) {
        let key = try options.apiKeyFile.map { try KeyFile(path: $0).read() }
        let request = HTTPRequest(
            url: options.url.description + path,
            body: body,
            key: key,
            authorityFile: options.authorityFile,
            timeout: options.timeout
        )
        state.withLock { $0.inFlight += 1 }
        defer { state.withLock { $0.inFlight -= 1 } }
        let start = ContinuousClock.now
        do {
            let answer = try await client.exchange(request)
            let document = try AnswerReader(request: request).document(of: answer)
            note(nil)
            return (document, start.duration(to: .now) / .seconds(1))
        } catch let fault as RemoteFault {
            note(fault)
            throw fault
        } catch let refusal as RemoteRefusal {
            note(nil)
            throw refusal
        }
    }

    private func note(_ fault: RemoteFault?) {
        let wasReachable = state.withLock { state in
            let before = state.isReachable
            state.lastContact = .now
            if let fault {
                state.failed += 1
                state.lastError = fault.description
                state.lastErrorAt = Date()
                state.isReachable = false
            } else {
                state.answered += 1
                state.isReachable = true
            }
            return before
        }
        if let fault, wasReachable != false {
            logger.warning(
                "remote engine does not answer",
                ["engine": LogValue(options.name), "error": LogValue(fault)]
            )
        } else if fault == nil, wasReachable == false {
            logger.notice("remote engine answers again", ["engine": LogValue(options.name)])
        }
    }
}

/// What an answer amounts to: a document, a fault or a refusal.
struct AnswerReader {
    let request: HTTPRequest

    /// The JSON document of a good answer.
    func document(of answer: HTTPAnswer) throws -> JSONNode {
        guard answer.status == 200 else { throw error(answer) }
        guard answer.contentType.contains("json") else {
            throw malformed(
                "application/json, got \""
                    + ServerSentence.cleaned(answer.contentType, hiding: request.key) + "\""
            )
        }
        do throws(JSONSyntaxError) {
            return try JSONReader.read(answer.body)
        } catch {
            throw malformed(
                "JSON, got \(answer.body.count) bytes that are none: "
                    + "\(ServerSentence.cleaned(error.message, hiding: request.key)) at byte \(error.offset)"
            )
        }
    }

    private func malformed(_ expectation: String) -> RemoteFault {
        RemoteFault(
            .malformed,
            "\(request.url): expected \(expectation). Does the engine's url end in /v1?"
        )
    }

    private func error(_ answer: HTTPAnswer) -> any Error {
        let sentence = ServerSentence.of(answer.body, hiding: request.key)
        let got = "\(request.url): expected an answer, got status \(answer.status)"
        switch answer.status {
        case 300..<400:
            let place = answer.location.map { ServerSentence.cleaned($0, hiding: request.key) }
            return RemoteFault(
                .refused,
                "\(got), a redirect to \(place ?? "nowhere"), which is not followed. Put the final "
                    + "address into the engine's url."
            )
        case 400, 413, 422:
            return RemoteRefusal(code: "remote_refused", message: "\(got): \(sentence)")
        case 401, 403:
            return RemoteFault(
                .refused,
                "\(got): \(sentence). Check the engine's api-key-file."
            )
        case 404:
            return RemoteFault(
                .refused,
                "\(got): \(sentence). Check the engine's url and served-model."
            )
        case 408, 425, 429, 503:
            return RemoteFault(.busy, "\(got): \(sentence)", retryAfter: answer.retryAfter)
        case 500..<600:
            return RemoteFault(.serverError, "\(got): \(sentence)", retryAfter: answer.retryAfter)
        default: return RemoteFault(.refused, "\(got): \(sentence)")
        }
    }
}
