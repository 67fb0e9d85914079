package import Hashing
package import Logging
import TensorKernels
import Threading
import Transformer

/// One model that answers requests, first come first served, on a thread of its own.
///
/// The computation blocks and never runs on the cooperative pool. A request whose task is cancelled leaves
/// the queue at once, or stops before the next layer or token.
package final class Engine: AnswerEngine {
    /// SHA-256 over the model's files.
    package let modelDigest: Digest
    /// Preprocessing, template and decoding; see ``EngineBlueprint/identity``.
    package let identity: String
    /// The checkpoint directory it was read from.
    package let modelDirectory: String?
    /// Bytes it was accounted with.
    package let byteCount: Int
    /// Longest prompt with its answer, tokens.
    package let contextLimit: Int

    private let queue = RequestQueue()
    private let thread: NamedThread

    /// Opens and loads a checkpoint directory. Blocks for the whole load.
    ///
    /// - Throws: ``InferenceError/modelUnusable(_:)``.
    package convenience init(
        directory: String,
        threads: Int,
        contextLimit: Int,
        visionCacheBytes: Int,
        logger: Logger
    ) throws(InferenceError) {
        let options = EngineOptions(
            threads: threads,
            contextLimit: contextLimit,
            visionCacheBytes: visionCacheBytes
        )
        try self.init(
            blueprint: EngineBlueprint(directory: directory, options: options),
            logger: logger
        )
    }

    /// Loads an opened checkpoint. Blocks for the whole load.
    ///
    /// - Throws: ``InferenceError/modelUnusable(_:)``.
    package init(blueprint: EngineBlueprint, logger: Logger) throws(InferenceError) {
        let start = ContinuousClock.now
        // Both read every weight; the digest is the slower of the two on one processor.
        let digest = BackgroundDigest(of: blueprint.checkpoint)
        let session = try blueprint.makeSession()
        modelDigest = try digest.wait()
        identity = blueprint.identity
        modelDirectory = blueprint.directory
        byteCount = blueprint.byteCount
        contextLimit = blueprint.contextLimit
        let queue = queue
        thread = NamedThread(name: "engine") {
            while let job = queue.next() { job.run(session) }
        }
        logger.info(
            "model loaded",
            [
                "model.directory": .string(blueprint.directory),
                "model.digest": .string(modelDigest.hex),
                "model.load.seconds": .double(secondsSince(start)),
                "model.bytes": .int(Int64(byteCount)),
                "model.weights.bytes": .int(Int64(blueprint.memory.weights)),
                "model.context": .int(Int64(contextLimit)),
                "model.precision": .string(blueprint.options.precision.rawValue),
                "engine.threads": .int(Int64(blueprint.options.threads)),
            ]
        )
    }

    deinit { queue.close() }

    /// Writes an answer.
    package func generate(_ request: GenerateRequest) async throws -> GenerateResponse {
        try await generate(request, onText: { _ in })
    }

    /// Writes an answer and hands out its text as it becomes certain.
    ///
    /// - Throws: ``InferenceError``.
    package func generate(
        _ request: GenerateRequest,
        onText: @escaping @Sendable (String) -> Void
    ) async throws -> GenerateResponse {
        try await perform { session, cancellation throws(InferenceError) in
            try session.generate(request, cancellation: cancellation, onText: onText)
        }
    }

    /// Weighs given answers against each other.
    package func choose(_ request: ChooseRequest) async throws -> ChooseResponse {
        try await perform { session, cancellation throws(InferenceError) in
            try session.choose(request, cancellation: cancellation)
        }
    }

    /// Requests that wait for the thread, the running one not counted.
    package var waitingCount: Int { queue.waitingCount }

    /// Rejects what waits and whatever comes after; the running request ends first.
    package func shutDown() { queue.close() }

    /// Waits until the thread has ended and its memory is free. Blocks; call after ``shutDown()``.
    package func join() { thread.join() }

    /// Runs `body` on the engine thread, in turn.
    func perform<Response: Sendable>(
        _ body:
            @escaping @Sendable (EngineSession, CancellationFlag) throws(InferenceError) -> Response
    ) async throws -> Response {
        let cancellation = CancellationFlag()
        let queue = queue
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                queue.submit(
                    EngineJob(
                        cancellation: cancellation,
                        run: { session in
                            continuation.resume(
                                with: Result { try body(session, cancellation) }
                            )
                        },
                        reject: { continuation.resume(throwing: $0) }
                    )
                )
            }
        } onCancel: {
            queue.cancel(cancellation)
        }
    }
}
