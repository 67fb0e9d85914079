package import Hashing
package import Logging
import TensorKernels
import Threading
import Transformer

/// One model that answers requests on a thread of its own, many at a time.
///
/// Requests share the passes of the decoder, their keys and values where they begin the same, and encoded
/// images; what each is answered does not depend on the others, to the last bit. ``SchedulerStateMachine``
/// decides what runs.
///
/// The computation blocks and never runs on the cooperative pool. A request whose task is cancelled is
/// answered at once; its computation stops before the next step, and before the next layer when nobody else
/// is in it.
package final class Engine: AnswerEngine {
    /// SHA-256 over the model's files.
    package let modelDigest: Digest
    /// Preprocessing, template and decoding; see ``EngineBlueprint/identity``.
    package let identity: String
    /// The checkpoint directory it was read from.
    package let modelDirectory: String?
    /// What its generation_config.json says.
    package let repetitionPenalty: Double
    /// Bytes it was accounted with.
    package let byteCount: Int
    /// Longest prompt with its answer, tokens.
    package let contextLimit: Int

    private let builder: InputBuilder
    private let endOfTurn: Int32
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
        repetitionPenalty = blueprint.config.repetitionPenalty
        byteCount = blueprint.byteCount
        contextLimit = blueprint.contextLimit
        builder = session.builder
        endOfTurn = session.endOfTurn
        let (queue, blockCount) = (queue, blueprint.blockCount)
        thread = NamedThread(name: "engine") {
            EngineRunner(session: session, queue: queue, blockCount: blockCount).run()
        }
        logger.info(
            "model loaded",
            [
                "model.directory": .string(blueprint.directory),
                "model.digest": .string(modelDigest.hex),
                "model.load.seconds": .double(secondsSince(start)),
                "model.bytes": .int(Int64(byteCount)),
                "model.weights.bytes": .int(Int64(blueprint.memory.weights)),
                "model.kv.bytes": .int(Int64(blueprint.memory.keyValueCache)),
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
        guard request.maximumTokens >= 1 else {
            throw InferenceError.invalidRequest(
                "maximumTokens: expected at least 1, got \(request.maximumTokens). Ask for one "
                    + "token or more."
            )
        }
        try request.decoding.check()
        let prefix = try builder.answerTokens(request.answerPrefix)
        let plan = try builder.plan(request.prompt)
        let (room, overflow) = prefix.count.addingReportingOverflow(request.maximumTokens)
        try check(plan, answerTokens: overflow ? Int.max : room)
        return try await ask(request.prompt, plan, priority: request.priority) { reply in
            .generate(
                prefix: prefix,
                maximumTokens: request.maximumTokens,
                decoding: request.decoding,
                onText: onText,
                reply: reply
            )
        }
    }

    /// Weighs given answers against each other: the probability of each under constrained decoding.
    ///
    /// Prefix and answer are tokenised together, as the model would have written them. See ``ChoicePlan``
    /// for the probabilities.
    package func choose(_ request: ChooseRequest) async throws -> ChooseResponse {
        let tree = try choiceTree(for: request)
        let plan = try builder.plan(request.prompt)
        try check(plan, answerTokens: tree.longest)
        let count = request.choices.count
        return try await ask(request.prompt, plan, priority: request.priority) { reply in
            .choose(tree, choiceCount: count, reply: reply)
        }
    }

    /// Requests that the thread has not taken in yet.
    package var waitingCount: Int { queue.waitingCount }

    /// Rejects what waits and whatever comes after; what is being computed ends first.
    package func shutDown() { queue.close() }

    /// Waits until the thread has ended and its memory is free. Blocks; call after ``shutDown()``.
    package func join() { thread.join() }

    // MARK: - Checking

    /// The answers of a request as a tree of tokens.
    private func choiceTree(for request: ChooseRequest) throws(InferenceError) -> ChoiceTree {
        var answers: [[Int32]] = []
        for choice in request.choices {
            answers.append(try builder.answerTokens(request.answerPrefix + choice))
        }
        return try ChoiceTree(answers: answers, endOfTurn: endOfTurn)
    }

    /// Refuses a prompt of no tokens, and one that does not fit with `answerTokens` after it.
    private func check(
        _ plan: InputBuilder.Plan,
        answerTokens: Int
    ) throws(InferenceError) {
        guard plan.count > 0 else {
            throw .invalidRequest(
                "content: expected a text or an image, got a prompt of no tokens. Ask something."
            )
        }
        let (needed, overflow) = plan.count.addingReportingOverflow(answerTokens)
        guard !overflow, needed <= contextLimit else {
            throw .promptTooLong(
                needed: overflow ? Int.max : needed,
                limit: contextLimit,
                imageTokens: plan.visualTokens
            )
        }
    }

    // MARK: - Asking the thread

    private func ask<Response: Sendable>(
        _ prompt: EnginePrompt,
        _ plan: InputBuilder.Plan,
        priority: Int,
        _ question: (Reply<Response>) -> EngineRequest.Question
    ) async throws -> Response {
        let reply = Reply<Response>()
        let request = EngineRequest(
            prompt: prompt,
            plan: plan,
            priority: priority,
            question: question(reply)
        )
        return try await submit(.request(request), reply: reply) { request.reject($0) }
    }

    /// Runs `body` on the engine thread, between two steps.
    func perform<Response: Sendable>(
        _ body: @escaping @Sendable (EngineSession) throws(InferenceError) -> Response
    ) async throws -> Response {
        let reply = Reply<Response>()
        let work = EngineJob.Work.exclusive { session in
            let result: Result<Response, InferenceError>
            do throws(InferenceError) {
                result = .success(try body(session))
            } catch {
                result = .failure(error)
            }
            reply.give(result)
        }
        return try await submit(work, reply: reply) { reply.give(.failure($0)) }
    }

    private func submit<Response: Sendable>(
        _ work: EngineJob.Work,
        reply: Reply<Response>,
        reject: @escaping @Sendable (InferenceError) -> Void
    ) async throws -> Response {
        let cancellation = CancellationFlag()
        let queue = queue
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                reply.await(continuation)
                queue.submit(EngineJob(cancellation: cancellation, work: work, reject: reject))
            }
        } onCancel: {
            queue.cancel(cancellation)
            // Whoever asked does not wait for the step to end.
            reply.give(.failure(.cancelled))
        }
    }
}
