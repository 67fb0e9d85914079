import Transformer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The part of a grid of patches that shows the picture, and what it is resized to.
///
/// The same arithmetic as `Transformer.ImagePacking`, whose window is private to the forward pass; tests
/// hold the two together. `modeling_llava_onevision.py: unpad_image, pack_image_features`.
struct PackingWindow: Equatable {
    /// Kept rows and columns of the grid.
    let rows: Range<Int>
    let columns: Range<Int>
    /// Rows and columns after the resize.
    let outputRows: Int
    let outputColumns: Int

    /// The whole of a video frame, shrunk to a quarter of its patches.
    init(frameOf packing: ImagePacking) {
        rows = 0..<packing.gridSide
        columns = 0..<packing.gridSide
        outputRows = packing.pooledSide
        outputColumns = packing.pooledSide
    }

    /// A picture of `width × height` pixels on `gridRows × gridColumns` tiles: padding cut off, and
    /// shrunk when more than `maximumTiles` tiles' worth is left.
    init(_ packing: ImagePacking, gridRows: Int, gridColumns: Int, width: Int, height: Int) {
        let canvasRows = gridRows * packing.gridSide
        let canvasColumns = gridColumns * packing.gridSide
        var rows = 0..<canvasRows
        var columns = 0..<canvasColumns
        let (imageWidth, imageHeight) = (Double(width), Double(height))
        let (gridWidth, gridHeight) = (Double(canvasColumns), Double(canvasRows))
        if imageWidth / imageHeight > gridWidth / gridHeight {
            let kept = Self.rounded(imageHeight * (gridWidth / imageWidth), packing.rounding)
            let padding = max(canvasRows - kept, 0) / 2
            rows = padding..<(canvasRows - padding)
        } else {
            let kept = Self.rounded(imageWidth * (gridHeight / imageHeight), packing.rounding)
            let padding = max(canvasColumns - kept, 0) / 2
            columns = padding..<(canvasColumns - padding)
        }
        self.rows = rows
        self.columns = columns
        let limit = Double(packing.maximumTiles * packing.gridSide * packing.gridSide)
        let ratio = (Double(rows.count * columns.count) / limit).squareRoot()
        let isShrunk = ratio > 1.1
        outputRows = isShrunk ? Self.floorDivide(Double(rows.count), ratio) : rows.count
        outputColumns = isShrunk ? Self.floorDivide(Double(columns.count), ratio) : columns.count
    }

    private static func rounded(_ side: Double, _ rounding: ImagePacking.Rounding) -> Int {
        switch rounding {
        case .sevenDecimals: Int((side * 1e7).rounded(.toNearestOrEven) / 1e7)
        case .truncated: Int(side)
        }
    }

    /// Python's `//` on floats.
    private static func floorDivide(_ numerator: Double, _ denominator: Double) -> Int {
        let exact = (numerator - fmod(numerator, denominator)) / denominator
        return max(Int(exact.rounded()), 1)
    }
}

/// One output index of a bilinear resize: two neighbouring sources and the weight of the second
/// (`torch.nn.functional.interpolate`, corners not aligned, one fused multiply-add).
struct ResizeTap {
    let first: Int
    let second: Int
    let weight: Float

    /// Where output `index` of `output` reads `input` samples.
    init(_ index: Int, from input: Int, to output: Int) {
        let scale = Float(input) / Float(output)
        let source = max(Float(-0.5).addingProduct(scale, Float(index) + 0.5), 0)
        first = min(Int(source), input - 1)
        second = min(first + 1, input - 1)
        weight = source - Float(first)
    }
}
