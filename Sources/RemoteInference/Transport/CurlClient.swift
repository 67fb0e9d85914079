import ChildProcesses
import Foundation
import Glibc
import Synchronization
import Threading

/// Asks servers by one `curl` process a request, under limits on memory, time and output.
///
/// Why not Foundation's `URLSession`: on Linux it stops the whole process by `fatalError` where a server's
/// behaviour decides (a transfer that ends without a head, a request that is cancelled while a redirect is
/// decided), it is known to crash when requests are cancelled beside others, and it has no bound on what it
/// takes in. A daemon must outlive its servers. What a process costs was measured: 11 ms of processor time a
/// request, of which most is loading curl's libraries.
struct CurlClient: Sendable {
    /// Absolute path of the program.
    let program: String

    /// The system's curl; nil where it is not installed.
    static func installed() -> CurlClient? {
        let places = ["/usr/bin/curl", "/bin/curl", "/usr/local/bin/curl"]
        return places.first { access($0, X_OK) == 0 }.map { CurlClient(program: $0) }
    }

    /// The answer to one request, tried once.
    ///
    /// Throws `RemoteFault`, and `CancellationError` within a fifth of a second after the task is cancelled; the
    /// connection is closed by then.
    func exchange(_ request: HTTPRequest) async throws -> HTTPAnswer {
        let stop = StopFlag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // The process dies with the thread that started it, so each has one of its own.
                _ = NamedThread(name: "remote") {
                    continuation.resume(with: Result { try run(request, stop) })
                }
            }
        } onCancel: {
            stop.set()
        }
    }

    private func run(_ request: HTTPRequest, _ stop: StopFlag) throws -> HTTPAnswer {
        let body = request.body?() ?? []
        var limits = ProcessLimits()
        limits.allowsNetwork = true
        // The body is held once as it is read and once as it grows.
        limits.memoryBytes = 512 << 20 + 4 * body.count
        limits.processorSeconds = 60
        limits.milliseconds = Int(request.timeout / .milliseconds(1)) + 1000
        limits.outputBytes = request.answerBytes
        let process = LimitedProcess(
            path: program,
            // First, so that no file of a home directory is read.
            arguments: ["-q", "-K", "/dev/fd/3"],
            limits: limits
        )
        let outcome: ProcessOutcome
        do {
            let configuration = CurlConfiguration(request: request).text
            outcome = try process.run(
                input: SealedFile(body),
                extra: SealedFile(Array(configuration.utf8)),
                isCancelled: { stop.isSet }
            )
        } catch {
            throw RemoteFault(.host, "\(program): \(error.message)")
        }
        return try answer(outcome, request)
    }

    private func answer(_ outcome: ProcessOutcome, _ request: HTTPRequest) throws -> HTTPAnswer {
        switch outcome.ending {
        case .exited(0):
            guard let answer = HTTPAnswer(outcome.output) else {
                throw RemoteFault(
                    .malformed,
                    "\(request.url): expected an answer by HTTP/1.1, got something else."
                )
            }
            return answer
        case .cancelled: throw CancellationError()
        case .timedOut: throw CurlFault.timedOut(request)
        case .outputLimit:
            throw RemoteFault(
                .malformed,
                "\(request.url): expected an answer of at most \(request.answerBytes) bytes, got more."
            )
        case .signalled(let number):
            throw RemoteFault(.host, "\(program): ended by signal \(number).")
        case .exited(let status):
            throw CurlFault.fault(status: status, text: outcome.errorText, request)
        }
    }
}

/// The statuses that curl ends with, as faults.
private enum CurlFault {
    static func timedOut(_ request: HTTPRequest) -> RemoteFault {
        let seconds = request.timeout / .seconds(1)
        return RemoteFault(
            .timeout,
            "\(request.url): expected an answer within \(seconds) s, got none. Raise the engine's "
                + "timeout or lower its concurrency."
        )
    }

    static func fault(status: Int32, text: String, _ request: HTTPRequest) -> RemoteFault {
        let reason = ServerSentence.cleaned(
            text.hasPrefix("curl: (\(status)) ")
                ? String(text.dropFirst("curl: (\(status)) ".count)) : text,
            hiding: request.key
        )
        func none(_ kind: RemoteFault.Kind) -> RemoteFault {
            RemoteFault(kind, "\(request.url): expected an answer, got none: \(reason)")
        }
        switch status {
        case 28 where reason.hasPrefix("Operation timed out"): return timedOut(request)
        // No such name, no connection, none in time, no handshake.
        case 6, 7, 28, 35: return none(.unreachable)
        // Receive, send, cut short, nothing at all.
        case 56, 55, 18, 52: return none(.interrupted)
        // Certificates: of the server, of the file.
        case 60, 51, 77, 83:
            return RemoteFault(
                .refused,
                "\(request.url): expected a certificate that is trusted, got another: \(reason). "
                    + "Name the authority's file in ca-file."
            )
        default:
            return RemoteFault(
                .malformed,
                "\(request.url): expected an answer by HTTP/1.1, got: \(reason)"
            )
        }
    }
}

/// Set once, from wherever a task is cancelled.
private final class StopFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() { flag.store(true, ordering: .releasing) }
}
