import Tokenization
import Transformer

/// One sequence computed by itself, without the scheduler: what parity runs observe, and the slow twin of
/// the engine in tests.
final class SingleSequence {
    private let session: EngineSession
    private let state: SequenceState

    /// An empty sequence of the session's full length.
    init(_ session: EngineSession) {
        self.session = session
        state = SequenceState(config: session.model.config.text, capacity: session.contextLimit)
    }

    /// Rows computed.
    var count: Int { state.count }

    /// Forgets all rows.
    func reset() { state.truncate(to: 0) }

    /// Computes the next rows of `input`, as many as one step takes; returns them.
    func step(_ input: ModelInput) -> Range<Int> {
        let end = min(state.count + session.textActivations.rowCapacity, input.count)
        let rows = state.count..<end
        session.model.decoder.forward(
            input,
            rows,
            sequence: state,
            activations: session.textActivations,
            pool: session.pool,
            interrupt: {}
        )
        return rows
    }

    /// Computes the rows of `input` after those computed; returns the logits of the last, valid until the
    /// next call.
    ///
    /// - Precondition: the rows computed are those `input` begins with, and not all of it.
    func advance(to input: ModelInput) -> UnsafeBufferPointer<Float> {
        precondition(state.count < input.count, "there is a row to compute")
        var rows = 0..<0
        while state.count < input.count { rows = step(input) }
        return session.model.decoder.logits(
            ofRow: rows.count - 1,
            activations: session.textActivations,
            pool: session.pool
        )
    }
}

extension EngineSession {
    /// Encodes the images and clips of a plan and splices their rows between its tokens.
    func input(
        of plan: InputBuilder.Plan,
        prompt: EnginePrompt
    ) throws(InferenceError) -> ModelInput {
        var input = ModelInput()
        var visuals = plan.visuals.makeIterator()
        for token in plan.tokens {
            switch token {
            case .id(let id):
                input.append(tokens: CollectionOfOne(id))
            case .image, .video:
                guard let planned = visuals.next() else { continue }
                let features = try features(of: planned, in: prompt) { () throws(InferenceError) in
                }
                input.append(image: features, key: planned.key)
            }
        }
        return input
    }
}
