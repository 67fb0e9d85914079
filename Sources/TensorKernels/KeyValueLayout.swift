/// Where the keys and values of a model's positions lie inside one block of memory.
///
/// A block holds 64 positions of every layer, so that it can be shared, copied or forgotten as one piece.
/// For each layer, for attention to run through the microkernel of the matrix product:
/// - keys, per kv head: panels of 16 positions, [4][headDimension][16];
/// - values, per kv head: panels of 16 columns, [⌈headDimension/16⌉][64][16].
/// Columns that fill up a panel are 0.
package struct KeyValueLayout: Sendable, Equatable {
    /// Positions in one block: divides the 128 keys of a tile of `attention`, is a multiple of a panel.
    package static let blockPositions = 64

    /// Attention layers.
    package let layers: Int
    /// Heads of keys and values; several heads of queries share one.
    package let keyValueHeads: Int
    /// Numbers in one key, and in one value.
    package let headDimension: Int

    /// Describes the cache of a model.
    package init(layers: Int, keyValueHeads: Int, headDimension: Int) {
        precondition(
            layers > 0 && keyValueHeads > 0 && headDimension > 0,
            "KeyValueLayout: expected positive dimensions, got \(layers) layers of "
                + "\(keyValueHeads) heads of \(headDimension)"
        )
        self.layers = layers
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
    }

    /// Blocks that hold `positions` positions.
    package static func blockCount(positions: Int) -> Int {
        (positions + blockPositions - 1) / blockPositions
    }

    /// Memory of one block, in bytes.
    package var blockByteCount: Int { blockFloats * MemoryLayout<Float>.size }

    var valuePanels: Int { (headDimension + 15) / 16 }
    /// The keys of one head and layer.
    var headKeyFloats: Int { Self.blockPositions * headDimension }
    /// The values of one head and layer.
    var headValueFloats: Int { Self.blockPositions * valuePanels * 16 }
    var layerFloats: Int { keyValueHeads * (headKeyFloats + headValueFloats) }
    var blockFloats: Int { layers * layerFloats }
}
