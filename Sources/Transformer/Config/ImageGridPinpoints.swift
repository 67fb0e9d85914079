/// A tiling in pixels that an image may be cut to: a whole number of tiles each way.
package struct GridSize: Sendable, Hashable {
    package let height: Int
    package let width: Int

    package init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }
}

/// `image_grid_pinpoints` in both spellings: a list of pairs, or the text "(1x1),...,(6x6)" of
/// tile counts (LLaVA-NeXT, `mm_utils.py:process_anyres_image`).
enum ImageGridPinpoints: Decodable {
    case pairs([[Double]])
    case range(String)

    /// More tiles along a side than any published model uses (6).
    private static let maximumTilesPerSide = 32

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .range(text)
        } else {
            self = .pairs(try container.decode([[Double]].self))
        }
    }

    /// The tilings, in the order in which they are tried.
    /// - widthFirst: pairs are (width, height), as original checkpoints mean them; else
    ///   (height, width).
    /// Throws unless every side is a multiple of `imageSize` and not absurd.
    func sizes(imageSize: Int, widthFirst: Bool) throws(CheckpointError) -> [GridSize] {
        let field = ConfigField(prefix: "")
        let key = "image_grid_pinpoints"
        let pairs: [[Int?]]
        switch self {
        case .pairs(let list): pairs = list.map { $0.map { Int(exactly: $0) } }
        case .range(let text):
            guard let list = Self.tileCounts(text) else {
                throw field.invalid(
                    key,
                    expected: "a text such as '(1x1),...,(6x6)'",
                    got: "'\(shown(text))'"
                )
            }
            pairs = list.map { [$0[0] * imageSize, $0[1] * imageSize] }
        }
        guard (1...1024).contains(pairs.count) else {
            throw field.invalid(key, expected: "1 to 1024 pairs", got: "\(pairs.count)")
        }
        var sizes: [GridSize] = []
        for (index, pair) in pairs.enumerated() {
            let limit = imageSize * Self.maximumTilesPerSide
            let sides = pair.compactMap { $0 }.filter { side in
                side > 0 && side <= limit && side % imageSize == 0
            }
            guard sides.count == 2, pair.count == 2 else {
                throw field.invalid(
                    "\(key)[\(index)]",
                    expected: "two multiples of the tile's \(imageSize) pixels up to \(limit)",
                    got: pair.prefix(4).map { $0.map { "\($0)" } ?? "a fraction" }
                        .joined(separator: " and ")
                )
            }
            sizes.append(
                widthFirst
                    ? GridSize(height: sides[1], width: sides[0])
                    : GridSize(height: sides[0], width: sides[1])
            )
        }
        return sizes
    }

    /// Every pair of tile counts from the text's first to its last.
    private static func tileCounts(_ text: String) -> [[Int]]? {
        var corners: [[Int]] = []
        for part in text.split(separator: "(").dropFirst(text.hasPrefix("(") ? 0 : 1) {
            let inside = part.prefix { $0 != ")" }.split(separator: "x")
            let counts = inside.compactMap { Int($0) }
            guard inside.count == 2, counts.count == 2, part.contains(")") else { return nil }
            corners.append(counts)
        }
        guard let first = corners.first, let last = corners.last, first[0] >= 1, first[1] >= 1,
            first[0] <= last[0], first[1] <= last[1],
            max(last[0], last[1]) <= maximumTilesPerSide
        else { return nil }
        return (first[0]...last[0]).flatMap { i in (first[1]...last[1]).map { j in [i, j] } }
    }
}
