import TensorKernels
import Tokenization
import Transformer

/// The engine's thread: takes requests in, does what the scheduler says, and hands out answers.
///
/// Between two steps it looks what arrived and what was cancelled. A step or an image whose requests are all
/// cancelled is broken off before the next layer.
final class EngineRunner {
    private let session: EngineSession
    private let queue: RequestQueue
    private let blocks: KeyValueBlocks
    private var scheduler: SchedulerStateMachine
    private var rowKeys = RowKeys()
    private var requests: [Int: LiveRequest] = [:]
    private var lastRequest = 0
    /// Seconds of steps made between the layers of the image that is being encoded.
    private var secondsAside = 0.0

    init(session: EngineSession, queue: RequestQueue, blockCount: Int) {
        self.session = session
        self.queue = queue
        blocks = KeyValueBlocks(
            layout: KeyValueLayout(session.model.config.text),
            count: blockCount
        )
        scheduler = SchedulerStateMachine(
            limits: SchedulerStateMachine.Limits(
                rows: session.textActivations.rowCapacity,
                sequences: session.options.sequenceLimit,
                blocks: blockCount,
                sharesPrefixes: session.options.reusesPrefix
            )
        )
    }

    /// Works until the queue is closed and what was running has ended.
    func run() {
        while takeIn() {
            switch scheduler.next() {
            case .step(let step): perform(step)
            case .encode(let request, let visual): encode(visual, of: request)
            case .wait: break
            }
        }
    }

    // MARK: - Coming and going

    /// Takes in what has arrived, waiting when there is nothing else to do; false when all is over.
    private func takeIn() -> Bool {
        while let job = queue.next(waiting: scheduler.isIdle) {
            switch job.work {
            case .exclusive(let body): body(session)
            case .request(let request): start(request, cancellation: job.cancellation)
            }
        }
        for (id, request) in requests where request.cancellation.isSet {
            drop(id, failing: .cancelled)
        }
        guard queue.isClosed else { return true }
        let running = Set(scheduler.running.map(\.request))
        for id in requests.keys where !running.contains(id) { drop(id, failing: .shuttingDown) }
        return !scheduler.isIdle
    }

    private func start(_ asked: EngineRequest, cancellation: CancellationFlag) {
        lastRequest += 1
        let id = lastRequest
        var (input, awaited) = layOut(asked.plan)
        let live: LiveRequest
        var demands: [SequenceDemand] = []
        var sequences: [LiveRequest.Sequence] = []
        func add(_ input: ModelInput, points: [(row: Int, node: Int)], wanted: [Int]) {
            demands.append(SequenceDemand(keys: rowKeys.keys(of: input), wanted: wanted))
            let state = SequenceState(blocks: blocks, limit: session.contextLimit)
            sequences.append(LiveRequest.Sequence(input: input, state: state, points: points))
        }
        let progress: LiveRequest.Progress
        var sampler = TokenSampler(.greedy)
        switch asked.question {
        case .generate(let prefix, let maximumTokens, let decoding, let onText, let reply):
            sampler = TokenSampler(decoding, context: asked.plan.tokenIDs + prefix)
            input.append(tokens: prefix)
            add(input, points: [], wanted: [input.count - 1])
            let answer = WrittenAnswer(
                stop: StopCondition(
                    endTokens: session.endTokens,
                    maximumTokens: maximumTokens
                ),
                tokenizer: session.builder.tokenizer,
                onText: { if !cancellation.isSet { onText($0) } }
            )
            progress = .generate(answer, reply: reply)
        case .choose(let tree, let choiceCount, let reply):
            input.append(tokens: tree.shared)
            let plan = ChoicePlan(tree: tree, choiceCount: choiceCount)
            for chain in plan.chains {
                let points = chain.points.map { (row: input.count + $0.depth - 1, node: $0.node) }
                var longer = input
                longer.append(tokens: chain.tokens)
                add(longer, points: points, wanted: points.map(\.row))
            }
            progress = .choose(plan, reply: reply)
        }
        live = LiveRequest(
            cancellation: cancellation,
            prompt: asked.prompt,
            visuals: asked.plan.visuals,
            promptTokens: input.count,
            progress: progress,
            sampler: sampler
        )
        let ids = scheduler.submit(
            request: id,
            priority: asked.priority,
            sequences: demands,
            awaited: awaited
        )
        live.sequences = Dictionary(uniqueKeysWithValues: zip(ids, sequences))
        requests[id] = live
    }

    /// The rows of a prompt, those of images and clips still to come.
    private func layOut(_ plan: InputBuilder.Plan) -> (ModelInput, [AwaitedVisual]) {
        var input = ModelInput()
        var awaited: [AwaitedVisual] = []
        for token in plan.tokens {
            switch token {
            case .id(let id):
                input.append(tokens: CollectionOfOne(id))
            case .image, .video:
                let visual = plan.visuals[awaited.count]
                let start = input.count
                input.append(awaiting: visual.tokens, key: visual.key, grid: visual.grid)
                awaited.append(AwaitedVisual(visual: awaited.count, rows: start..<input.count))
            }
        }
        return (input, awaited)
    }

    private func drop(_ id: Int, failing error: InferenceError) {
        scheduler.cancel(request: id)
        requests.removeValue(forKey: id)?.fail(error)
    }

    // MARK: - Images

    private func encode(_ visual: Int, of id: Int) {
        guard let request = requests[id] else { return }
        let planned = request.visuals[visual]
        let start = ContinuousClock.now
        secondsAside = 0
        let features: ImageFeatures
        do throws(InferenceError) {
            features = try session.features(of: planned, in: request.prompt) {
                () throws(InferenceError) in
                try request.cancellation.check()
                // Whoever writes an answer does not wait for a long image.
                if let step = self.scheduler.nextWhileEncoding() { self.perform(step) }
            }
        } catch {
            // Cancelled: dropped before the next step.
            return
        }
        let seconds = secondsSince(start) - secondsAside
        request.seconds += seconds
        request.imageSeconds += seconds
        request.place(features, for: planned.key)
        for (place, other) in request.visuals.enumerated() where other.key == planned.key {
            scheduler.encoded(request: id, visual: place)
        }
    }

    // MARK: - Steps

    private func perform(_ step: DecoderStep) {
        let start = ContinuousClock.now
        for copy in step.copies { blocks.copy(Int(copy.source), to: Int(copy.target)) }
        guard forward(step) else { return }
        scheduler.completed(step)
        let seconds = secondsSince(start)
        for part in step.parts {
            let share = seconds * Double(part.rows.count) / Double(step.rowCount)
            requests[part.request]?.charge(share)
        }
        takeLogits(step)
        secondsAside += secondsSince(start)
    }

    /// Computes the rows; false when nobody wants them any more.
    private func forward(_ step: DecoderStep) -> Bool {
        var parts: [SequenceRows] = []
        parts.reserveCapacity(step.parts.count)
        for part in step.parts {
            guard let sequence = requests[part.request]?.sequences[part.sequence] else {
                preconditionFailure("the scheduler runs sequences of live requests")
            }
            sequence.state.lend(part.table, holding: part.rows.lowerBound)
            parts.append(
                SequenceRows(input: sequence.input, range: part.rows, sequence: sequence.state)
            )
        }
        do {
            try session.model.decoder.forward(
                parts,
                activations: session.textActivations,
                pool: session.pool,
                interrupt: {
                    if step.parts.allSatisfy({ self.isCancelled($0.request) }) {
                        throw InferenceError.cancelled
                    }
                }
            )
        } catch {
            return false
        }
        return true
    }

    private func isCancelled(_ request: Int) -> Bool {
        requests[request]?.cancellation.isSet ?? true
    }

    /// Runs the head on the rows whose logits are wanted and gives each its own.
    private func takeLogits(_ step: DecoderStep) {
        var wanted: [(part: DecoderStep.Part, row: Int, batchRow: Int)] = []
        var firstRow = 0
        for part in step.parts {
            for row in part.wanted {
                wanted.append((part, row, firstRow + row - part.rows.lowerBound))
            }
            firstRow += part.rows.count
        }
        let width = session.model.decoder.vocabularySize
        let capacity = session.textActivations.logitRowCapacity
        for start in stride(from: 0, to: wanted.count, by: capacity) {
            let chunk = wanted[start..<min(start + capacity, wanted.count)]
            let begin = ContinuousClock.now
            let logits = session.model.decoder.logits(
                ofRows: chunk.lazy.map(\.batchRow),
                activations: session.textActivations,
                pool: session.pool
            )
            let share = secondsSince(begin) / Double(chunk.count)
            for (place, want) in chunk.enumerated() {
                requests[want.part.request]?.charge(share)
                take(
                    UnsafeBufferPointer(rebasing: logits[place * width..<(place + 1) * width]),
                    ofRow: want.row,
                    of: want.part
                )
            }
        }
    }

    private func take(
        _ logits: UnsafeBufferPointer<Float>,
        ofRow row: Int,
        of part: DecoderStep.Part
    ) {
        // An earlier row of the step may have ended the request.
        guard let request = requests[part.request] else { return }
        do throws(InferenceError) {
            switch request.progress {
            case .generate(var answer, let reply):
                let outcome = answer.take(try request.sampler.next(logits))
                request.progress = .generate(answer, reply: reply)
                switch outcome {
                case .goOn(let token):
                    request.sequences[part.sequence]?.input.append(tokens: CollectionOfOne(token))
                    scheduler.append(key: RowKeys.key(token: token), to: part.sequence)
                case .finished(let reason):
                    finish(part.request) { $0.answer(reason) }
                }
            case .choose(var plan, let reply):
                let points = request.sequences[part.sequence]?.points ?? []
                guard let point = points.first(where: { $0.row == row }) else { return }
                try plan.take(logits, at: point.node)
                request.progress = .choose(plan, reply: reply)
                if plan.isComplete {
                    finish(part.request) { $0.answer() }
                } else if row == points.last?.row {
                    scheduler.end(sequence: part.sequence)
                }
            }
        } catch {
            drop(part.request, failing: error)
        }
    }

    private func finish(_ id: Int, _ answer: (LiveRequest) -> Void) {
        scheduler.cancel(request: id)
        if let request = requests.removeValue(forKey: id) { answer(request) }
    }
}
