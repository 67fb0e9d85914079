import Foundation
import Inference
import JSONReading
import Logging
import Synchronization

/// One server: sends it requests, so many at a time, tries again what may pass, and remembers how it went.
final class RemoteServer: Sendable {
    let options: RemoteEngineOptions
    private let client: CurlClient
    private let gate: RequestGate
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var status = RemoteStatus()
        var gate = OutageGate()
        /// It said no to a request because the penalty for repetition was named in it.
        var refusesPenalty = false
    }

    static let chatPath = "/chat/completions"

    init(options: RemoteEngineOptions, client: CurlClient, logger: Logger) {
        self.options = options
        self.client = client
        self.logger = logger
        gate = RequestGate(places: options.concurrency)
    }

    var status: RemoteStatus { state.withLock { $0.status } }

    /// False from a request that got no answer on, until the server answers again.
    var takesWork: Bool { state.withLock { $0.gate.isOpen } }

    /// Whether the server is out and it is time to look whether it is back.
    var isLookDue: Bool { state.withLock { $0.gate.isLookDue(at: .now) } }

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
                    if fault.isPassing {
                        state.withLock { $0.gate.failed(at: .now, asked: fault.retryAfter) }
                    }
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

    /// What the server makes of a prompt.
    ///
    /// No penalty is said in so many words, since some servers bring one of their own; those that know nothing
    /// but OpenAI's own fields refuse that, and are asked without it.
    func chat(
        _ request: ChatRequest,
        uri: @escaping @Sendable (EngineImage) -> [UInt8]
    ) async throws -> (JSONNode, seconds: Double) {
        let isPlain = request.decoding.repetitionPenalty == 1
        var asked = request
        asked.namesPenalty = !(isPlain && state.withLock { $0.refusesPenalty })
        do {
            return try await ask(Self.chatPath) { [asked] in asked.bytes(uri) }
        } catch let refusal as RemoteRefusal
            where isPlain && asked.namesPenalty
            && refusal.message.contains(ChatRequest.penaltyField)
        {
            state.withLock { $0.refusesPenalty = true }
            asked.namesPenalty = false
            return try await ask(Self.chatPath) { [asked] in asked.bytes(uri) }
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
        state.withLock { $0.status.inFlight += 1 }
        defer { state.withLock { $0.status.inFlight -= 1 } }
        let start = ContinuousClock.now
        do {
            let answer = try await client.exchange(request)
            let document = try AnswerReader(request: request).document(of: answer)
            note(nil, isQuestion: body != nil)
            return (document, start.duration(to: .now) / .seconds(1))
        } catch let fault as RemoteFault {
            note(fault, isQuestion: body != nil)
            throw fault
        } catch let refusal as RemoteRefusal {
            note(nil, isQuestion: body != nil)
            throw refusal
        }
    }

    private func note(_ fault: RemoteFault?, isQuestion: Bool) {
        let wasReachable = state.withLock { state in
            let before = state.status.isReachable
            state.status.lastContact = .now
            if fault?.isPassing != true {
                state.gate.answered(at: .now, isToQuestion: isQuestion)
            }
            if let fault {
                state.status.failed += 1
                state.status.lastError = fault.description
                state.status.lastErrorAt = Date()
                state.status.isReachable = false
            } else {
                state.status.answered += 1
                state.status.isReachable = true
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
            return try JSONReader.read(answer.body, unstorable: .replaced)
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
