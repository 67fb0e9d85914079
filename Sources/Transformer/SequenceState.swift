import TensorKernels

/// The keys and values of one sequence, for every decoder layer.
///
/// Owned by one engine thread. Memory for `capacity` positions is taken once.
package final class SequenceState {
    /// One cache for each decoder layer.
    let layers: [KeyValueCache]
    /// Positions there is room for.
    package let capacity: Int

    /// Allocates caches for `capacity` positions of a model.
    package init(config: TextConfig, capacity: Int) {
        self.capacity = capacity
        layers = (0..<config.layerCount).map { _ in
            KeyValueCache(
                capacity: capacity,
                keyValueHeads: config.keyValueHeadCount,
                headDimension: config.headDimension
            )
        }
    }

    /// Positions held.
    package var count: Int { layers.first?.count ?? 0 }

    /// Forgets every position from `count` on.
    package func truncate(to count: Int) {
        for layer in layers where layer.count > count { layer.truncate(to: count) }
    }

    /// Memory for `capacity` positions of a model, in bytes.
    package static func byteCount(config: TextConfig, capacity: Int) -> Int {
        config.layerCount
            * KeyValueCache.byteCount(
                capacity: capacity,
                keyValueHeads: config.keyValueHeadCount,
                headDimension: config.headDimension
            )
    }
}
