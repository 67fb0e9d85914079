package import Hashing
package import Transformer

/// The numbers a run changes: what is optimised, and the optimizer's moments.
package struct TrainedNumbers {
    /// f32 master values.
    package let parameters: FloatBuffer
    /// Names their layout; see ``ParameterLayout/digest``.
    package let layout: Digest
    /// Holds the moments, of the same layout.
    package let optimizer: AdamWOptimizer

    /// Joins values and moments.
    package init(parameters: FloatBuffer, layout: Digest, optimizer: AdamWOptimizer) {
        precondition(parameters.count == optimizer.firstMoments.count, "one layout")
        self.parameters = parameters
        self.layout = layout
        self.optimizer = optimizer
    }

    /// Joins the parameters of a model and their moments.
    package init(parameters: ParameterBuffer, optimizer: AdamWOptimizer) {
        self.init(
            parameters: parameters.values,
            layout: parameters.layout.digest,
            optimizer: optimizer
        )
    }

    /// In the order in which they are stored.
    var buffers: [FloatBuffer] { [parameters, optimizer.firstMoments, optimizer.secondMoments] }
}
