/// Turns a decoded picture into the tiles a SigLIP vision tower expects.
///
/// Reference: `image_processing_pil_llava_onevision.py` (PIL backend, Pillow ≤ 12). Bytes are equal
/// before normalisation and floats are equal after it.
package struct ImageProcessor: Sendable {
    /// Which of the reference's pictures-to-tiles ways applies.
    package enum Layout: Sendable, CaseIterable {
        /// The whole picture squashed into tile 0, then the best grid of tiles with black bars.
        case anyres
        /// One tile: the picture centred on a square of the mean colour, then resized.
        case paddedSquare
        /// One tile: the whole picture resized without keeping its shape.
        case squashed
    }

    /// Side of a tile in pixels.
    package let imageSize: Int
    /// Per channel, of samples in 0…1.
    package let mean: [Float]
    package let standardDeviation: [Float]
    /// Canvas sizes anyres may choose from, in pixels, in the order they are tried.
    package let pinpoints: [(height: Int, width: Int)]
    private let levels: [Float]
    private let paddingColour: [UInt8]

    /// - Parameters: `mean` and `standardDeviation` have three entries; pinpoints are multiples of
    ///   `imageSize`, at least one.
    package init(
        imageSize: Int,
        mean: [Float],
        standardDeviation: [Float],
        pinpoints: [(height: Int, width: Int)]
    ) {
        precondition(imageSize > 0 && mean.count == 3 && standardDeviation.count == 3)
        precondition(!pinpoints.isEmpty)
        precondition(
            pinpoints.allSatisfy {
                $0.height > 0 && $0.width > 0 && $0.height % imageSize == 0
                    && $0.width % imageSize == 0
            }
        )
        self.imageSize = imageSize
        self.mean = mean
        self.standardDeviation = standardDeviation
        self.pinpoints = pinpoints
        levels = PixelLevels.values(
            mean: mean,
            standardDeviation: standardDeviation,
            arithmetic: .pillow
        )
        // int(mean · 255) on the decimal number of the configuration: the shortest text of the
        // Float gives it back, its binary expansion would not.
        paddingColour = mean.map { value in
            let exact = Double("\(value)") ?? Double(value)
            return UInt8(min(max(exact * 255, 0), 255))
        }
    }

    /// The tiles of `image`.
    package func tiles(of image: RGBImage, layout: Layout) -> ProcessedImage {
        switch layout {
        case .anyres:
            return anyresTiles(of: image)
        case .paddedSquare:
            return single(squashed(padded(image)), of: image)
        case .squashed:
            return single(squashed(image), of: image)
        }
    }

    private func anyresTiles(of image: RGBImage) -> ProcessedImage {
        let grid = AnyresGrid(width: image.width, height: image.height, pinpoints: pinpoints)
        let resized = BicubicResampler.resize(
            image,
            width: grid.resizedWidth,
            height: grid.resizedHeight
        )
        // The bars are black before normalisation, so −1 for mean = deviation = 0.5.
        let canvas = RGBImage.filled(
            width: grid.canvasWidth,
            height: grid.canvasHeight,
            colour: [0, 0, 0]
        ).pasting(
            resized,
            x: (grid.canvasWidth - grid.resizedWidth) / 2,
            y: (grid.canvasHeight - grid.resizedHeight) / 2
        )
        let rows = grid.canvasHeight / imageSize
        let columns = grid.canvasWidth / imageSize
        var tiles = [squashed(image)]
        for row in 0..<rows {
            for column in 0..<columns {
                tiles.append(
                    canvas.cropped(
                        x: column * imageSize,
                        y: row * imageSize,
                        width: imageSize,
                        height: imageSize
                    )
                )
            }
        }
        return ProcessedImage(
            tiles: tiles,
            gridRows: rows,
            gridColumns: columns,
            original: image,
            levels: levels
        )
    }

    private func single(_ tile: RGBImage, of image: RGBImage) -> ProcessedImage {
        ProcessedImage(
            tiles: [tile],
            gridRows: 0,
            gridColumns: 0,
            original: image,
            levels: levels
        )
    }

    private func squashed(_ image: RGBImage) -> RGBImage {
        BicubicResampler.resize(image, width: imageSize, height: imageSize)
    }

    /// `expand2square`: the picture in the middle of a square of the mean colour.
    private func padded(_ image: RGBImage) -> RGBImage {
        guard image.width != image.height else { return image }
        let side = max(image.width, image.height)
        return RGBImage.filled(width: side, height: side, colour: paddingColour).pasting(
            image,
            x: (side - image.width) / 2,
            y: (side - image.height) / 2
        )
    }
}
