/// What the decoder reads: token ids with the features of images between them.
///
/// Token pieces are kept merged: there are never two in a row.
package struct ModelInput: Sendable {
    /// One run of rows.
    package enum Piece: Sendable {
        case tokens([Int32])
        /// `key` names the pixels and their layout: equal keys, equal features in equal places.
        case image(ImageFeatures, key: String)
        /// Rows of an image that is still to be encoded: named and counted, and not to be computed yet.
        case awaited(key: String, tokens: Int, grid: VisualGrid?)

        /// Rows of the piece.
        package var count: Int {
            switch self {
            case .tokens(let ids): ids.count
            case .image(let features, _): features.tokens
            case .awaited(_, let tokens, _): tokens
            }
        }

        /// How far behind its first row the next piece starts, on every axis.
        var advance: Int {
            switch self {
            case .tokens(let ids): ids.count
            case .image(let features, _): features.grid?.advance ?? features.tokens
            case .awaited(_, let tokens, let grid): grid?.advance ?? tokens
            }
        }

        /// Where row `index` stands, counted from the first.
        func position(ofRow index: Int) -> RowPosition {
            guard case .image(let features, _) = self, let grid = features.grid else {
                return RowPosition(index)
            }
            return grid.position(ofRow: index)
        }
    }

    /// In order, token pieces merged.
    package private(set) var pieces: [Piece] = []
    /// Number of rows.
    package private(set) var count = 0

    /// An empty input.
    package init() {}

    /// Appends token ids.
    package mutating func append(tokens ids: some Collection<Int32>) {
        guard !ids.isEmpty else { return }
        count += ids.count
        if case .tokens(var last)? = pieces.last {
            pieces.removeLast()
            last.append(contentsOf: ids)
            pieces.append(.tokens(last))
        } else {
            pieces.append(.tokens(Array(ids)))
        }
    }

    /// Appends the rows of an image.
    package mutating func append(image: ImageFeatures, key: String) {
        count += image.tokens
        pieces.append(.image(image, key: key))
    }

    /// Appends the rows of an image whose features will be placed later, or never: what comes after it
    /// can be computed where its keys and values are known.
    package mutating func append(awaiting tokens: Int, key: String, grid: VisualGrid? = nil) {
        count += tokens
        pieces.append(.awaited(key: key, tokens: tokens, grid: grid))
    }

    /// Puts features in the place of every image awaited under `key`.
    package mutating func place(_ features: ImageFeatures, for key: String) {
        for index in pieces.indices {
            guard case .awaited(key, let tokens, let grid) = pieces[index] else { continue }
            precondition(features.tokens == tokens, "as many rows as were counted")
            precondition(features.grid == grid, "in the places that were planned")
            pieces[index] = .image(features, key: key)
        }
    }

    /// Calls `body` for each part of a piece that lies in `range`, with the row of `range` it starts at.
    func forEachPart(
        of range: Range<Int>,
        _ body: (_ piece: Piece, _ part: Range<Int>, _ row: Int) -> Void
    ) {
        var start = 0
        for piece in pieces {
            let end = start + piece.count
            let lower = max(range.lowerBound, start)
            let upper = min(range.upperBound, end)
            if lower < upper {
                body(piece, (lower - start)..<(upper - start), lower - range.lowerBound)
            }
            start = end
        }
    }

    /// Calls `body` with the place of every row of `range`, in order.
    ///
    /// A piece starts where the one before it ends; what comes after the prompt, one token at a time,
    /// goes on counting from there.
    package func forEachPosition(of range: Range<Int>, _ body: (RowPosition) -> Void) {
        var start = 0
        var base = 0
        for piece in pieces {
            let end = start + piece.count
            if end > range.lowerBound, start < range.upperBound {
                for row in max(range.lowerBound, start)..<min(range.upperBound, end) {
                    var place = piece.position(ofRow: row - start)
                    place.time += base
                    place.down += base
                    place.across += base
                    body(place)
                }
            }
            start = end
            base += piece.advance
        }
    }
}
