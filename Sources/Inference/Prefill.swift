import Transformer

extension EngineSession {
    /// Brings the sequence to hold exactly `input` and returns the logits of its last row.
    ///
    /// Rows the sequence already holds are kept: keys and values of a row depend on the rows before it
    /// alone, to the last bit, so a shared prefix need not be computed again. The logits are valid until
    /// the next call.
    ///
    /// - Throws: ``InferenceError/cancelled``.
    func prefill(
        _ input: ModelInput,
        cancellation: CancellationFlag
    ) throws(InferenceError) -> UnsafeBufferPointer<Float> {
        var kept = 0
        if options.reusesPrefix {
            kept = min(input.commonPrefixCount(with: sequenceInput), sequence.count)
        }
        // The last row is computed again even when it is kept: its logits are wanted.
        sequence.truncate(to: max(min(kept, input.count - 1), 0))
        return try advance(to: input, cancellation: cancellation)
    }

    /// Computes the rows of `input` the sequence does not hold yet; returns the logits of the last.
    ///
    /// Runs in steps of `prefillRows`; the numbers do not depend on the steps.
    ///
    /// - Precondition: the sequence holds a prefix of `input`, and not all of it.
    /// - Throws: ``InferenceError/cancelled``; the sequence then holds a shorter prefix of `input`.
    func advance(
        to input: ModelInput,
        cancellation: CancellationFlag
    ) throws(InferenceError) -> UnsafeBufferPointer<Float> {
        precondition(sequence.count < input.count, "there is a row to compute")
        sequenceInput = input
        var lastRow = 0
        while sequence.count < input.count {
            let start = sequence.count
            let end = min(start + textActivations.rowCapacity, input.count)
            do {
                try model.decoder.forward(
                    input,
                    start..<end,
                    sequence: sequence,
                    activations: textActivations,
                    pool: pool,
                    interrupt: { try cancellation.check() }
                )
            } catch {
                throw .cancelled
            }
            lastRow = end - start - 1
        }
        return model.decoder.logits(ofRow: lastRow, activations: textActivations, pool: pool)
    }
}
