import TensorKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How the features of an image's tiles, or of a video's frames, become rows of the prompt.
///
/// `modeling_llava_onevision.py: pack_image_features, unpad_image, apply_pooling`; the original code is
/// `llava/model/llava_arch.py: prepare_inputs_labels_for_multimodal` with `spatial_unpad` and
/// `anyres_max_N`. The two differ in one rounding, see ``Rounding``.
package struct ImagePacking: Sendable {
    /// How the kept size of an unpadded side is rounded.
    package enum Rounding: Sendable, Hashable {
        /// Hugging Face: `int(round(side, 7))`.
        case sevenDecimals
        /// Original LLaVA: `int(side)`, which can be one row less when the product falls just short.
        case truncated
    }

    /// Patches along one side of a tile, g.
    package let gridSide: Int
    /// N of `anyres_max_N`: a grid of more than 1.1² · N tiles' patches is shrunk to about N tiles.
    package let maximumTiles: Int
    /// Which reference's rounding to follow.
    package let rounding: Rounding

    /// Describes the packing of a model.
    package init(gridSide: Int, maximumTiles: Int, rounding: Rounding) {
        self.gridSide = gridSide
        self.maximumTiles = maximumTiles
        self.rounding = rounding
    }

    /// The packing of a model of this configuration.
    package init(_ config: LlavaConfig) {
        self.init(
            gridSide: config.vision.gridSide,
            maximumTiles: config.maximumTiles,
            rounding: config.family == .llavaQwen ? .truncated : .sevenDecimals
        )
    }

    /// The part of the patch grid that shows the image and not padding, and what it is resized to.
    struct Window: Equatable {
        /// Kept rows and columns of the patch grid.
        let rows: Range<Int>
        let columns: Range<Int>
        /// Rows and columns after the resize; equal to the kept counts when there is none.
        let outputRows: Int
        let outputColumns: Int
    }

    /// Patches along one side of a pooled frame, ⌈g / 2⌉.
    package var pooledSide: Int { (gridSide + 1) / 2 }

    /// Rows of the prompt an image takes, known from its size alone.
    package func tokenCount(of packing: ImageTiles.Packing) -> Int {
        let tile = gridSide * gridSide
        switch packing {
        case .frame: return tile
        case .singleTile: return tile + 1
        case .pooledFrames(let count): return count * pooledSide * pooledSide + 1
        case .anyres:
            guard let window = window(of: packing) else { return tile }
            return tile + window.outputRows * (window.outputColumns + 1)
        }
    }

    /// Packs projected tile features [T, g·g, hidden] into the rows of the prompt, [tokens, hidden].
    func pack(
        _ tiles: UnsafePointer<Float>,
        packing: ImageTiles.Packing,
        newline: UnsafePointer<Float>,
        hidden: Int,
        pool: ComputeThreadPool
    ) -> ImageFeatures {
        let tokens = tokenCount(of: packing)
        let values = [Float](unsafeUninitializedCapacity: tokens * hidden) { buffer, count in
            count = tokens * hidden
            guard let base = buffer.baseAddress else { return }
            let tile = gridSide * gridSide * hidden
            switch packing {
            case .frame:
                base.update(from: tiles, count: tile)
            case .singleTile:
                base.update(from: tiles, count: tile)
                (base + tile).update(from: newline, count: hidden)
            case .pooledFrames(let count):
                poolFrames(tiles, count: count, hidden: hidden, into: base, pool: pool)
                (base + (tokens - 1) * hidden).update(from: newline, count: hidden)
            case .anyres(_, let gridColumns, _, _):
                base.update(from: tiles, count: tile)
                guard let window = window(of: packing) else { return }
                let source = PatchGrid(
                    base: tiles + tile,
                    gridSide: gridSide,
                    tileColumns: gridColumns,
                    hidden: hidden
                )
                packGrid(
                    source,
                    window: window,
                    newline: newline,
                    into: base + tile,
                    pool: pool
                )
            }
        }
        return ImageFeatures(tokens: tokens, hidden: hidden, values: values)
    }

    /// Cuts the padding and applies the N-tile limit; nil for packings without a grid.
    func window(of packing: ImageTiles.Packing) -> Window? {
        guard case .anyres(let gridRows, let gridColumns, let width, let height) = packing else {
            return nil
        }
        let canvasRows = gridRows * gridSide
        let canvasColumns = gridColumns * gridSide
        var rows = 0..<canvasRows
        var columns = 0..<canvasColumns
        let (imageWidth, imageHeight) = (Double(width), Double(height))
        let (gridWidth, gridHeight) = (Double(canvasColumns), Double(canvasRows))
        if imageWidth / imageHeight > gridWidth / gridHeight {
            let kept = roundedSide(imageHeight * (gridWidth / imageWidth))
            let padding = max(canvasRows - kept, 0) / 2
            // May keep one row more than `kept`: so does the reference.
            rows = padding..<(canvasRows - padding)
        } else {
            let kept = roundedSide(imageWidth * (gridHeight / imageHeight))
            let padding = max(canvasColumns - kept, 0) / 2
            columns = padding..<(canvasColumns - padding)
        }

        let limit = Double(maximumTiles * gridSide * gridSide)
        let ratio = (Double(rows.count * columns.count) / limit).squareRoot()
        guard ratio > 1.1 else {
            return Window(
                rows: rows,
                columns: columns,
                outputRows: rows.count,
                outputColumns: columns.count
            )
        }
        return Window(
            rows: rows,
            columns: columns,
            outputRows: floorDivide(Double(rows.count), ratio),
            outputColumns: floorDivide(Double(columns.count), ratio)
        )
    }

    private func roundedSide(_ side: Double) -> Int {
        switch rounding {
        case .sevenDecimals: Int((side * 1e7).rounded(.toNearestOrEven) / 1e7)
        case .truncated: Int(side)
        }
    }

    /// Python's `//` on floats: floor of the exact quotient, where `/` may round up to the next integer.
    ///
    /// A square grid of 135 patches over a ratio of 5/3 gives 80, not 81.
    private func floorDivide(_ numerator: Double, _ denominator: Double) -> Int {
        let exact = (numerator - fmod(numerator, denominator)) / denominator
        return max(Int(exact.rounded()), 1)
    }

    /// Shrinks the features of every frame to [pooledSide, pooledSide], frame after frame.
    private func poolFrames(
        _ frames: UnsafePointer<Float>,
        count: Int,
        hidden: Int,
        into target: UnsafeMutablePointer<Float>,
        pool: ComputeThreadPool
    ) {
        let side = pooledSide
        let window = Window(
            rows: 0..<gridSide,
            columns: 0..<gridSide,
            outputRows: side,
            outputColumns: side
        )
        // The frames stacked are a grid of tiles one column wide.
        let stack = PatchGrid(base: frames, gridSide: gridSide, tileColumns: 1, hidden: hidden)
        pool.run(count: count * side) { line, _ in
            let (frame, row) = line.quotientAndRemainder(dividingBy: side)
            stack.tile(frame).resizeRow(row, of: window, into: target + line * side * hidden)
        }
    }

    /// Writes the window row by row, resized when asked, each row followed by `image_newline`.
    private func packGrid(
        _ source: PatchGrid,
        window: Window,
        newline: UnsafePointer<Float>,
        into target: UnsafeMutablePointer<Float>,
        pool: ComputeThreadPool
    ) {
        let hidden = source.hidden
        let isResized =
            window.outputRows != window.rows.count || window.outputColumns != window.columns.count
        pool.run(count: window.outputRows) { row, _ in
            let line = target + row * (window.outputColumns + 1) * hidden
            if isResized {
                source.resizeRow(row, of: window, into: line)
            } else {
                for column in 0..<window.outputColumns {
                    let patch = source.patch(
                        window.rows.lowerBound + row,
                        window.columns.lowerBound + column
                    )
                    (line + column * hidden).update(from: patch, count: hidden)
                }
            }
            (line + window.outputColumns * hidden).update(from: newline, count: hidden)
        }
    }
}
