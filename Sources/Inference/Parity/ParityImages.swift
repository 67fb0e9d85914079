import Transformer
import VisionPreprocessing

extension ParityRun {
    /// What a case shows at one place of its prompt: an image or a video.
    private struct Cut {
        let processed: ProcessedImage
        let packing: ImageTiles.Packing
    }

    /// Cuts and encodes the images of a case; measures pixels, vision tower, projector and packing.
    func imageFeatures(
        _ golden: GoldenCase,
        _ encoder: LlavaEncoder,
        taps: ParityTaps,
        meter: inout ParityMeter
    ) throws -> [ImageFeatures] {
        let cuts = try cuts(of: golden, encoder.family)
        guard !cuts.isEmpty else { return [] }
        try measurePixels(golden, cuts.map(\.processed), meter: &meter)

        let isOriginal = golden.pipeline == .original || golden.pipeline == .originalFrames
        let packing = ImagePacking(
            gridSide: encoder.model.packing.gridSide,
            maximumTiles: encoder.model.packing.maximumTiles,
            rounding: isOriginal ? .truncated : .sevenDecimals
        )
        let features = cuts.map { cut in
            encoder.model.encodeImage(
                ImageTiles(
                    tileCount: cut.processed.tiles.count,
                    pixels: cut.processed.normalized(),
                    packing: cut.packing
                ),
                activations: encoder.activations,
                pool: session.pool,
                packing: packing,
                interrupt: {}
            )
        }
        guard !isSinglePrecision else { return features }
        measureVision(golden, taps: taps, meter: &meter)
        let key = golden.pipeline == .video ? "video_features" : "image_features"
        meter.features(key, features.flatMap(\.values), golden.floats(key) ?? [])
        return features
    }

    /// What the observers saw of the vision tower.
    func measureVision(_ golden: GoldenCase, taps: ParityTaps, meter: inout ParityMeter) {
        if let expected = golden.floats("vision_layer_norms") {
            meter.norms("vision_layers", taps.visionNorms.flatMap { $0 }, expected)
        }
        if let expected = golden.floats("vision_out") {
            meter.features("vision_out", taps.visionOut, expected)
        }
        if let expected = golden.floats("projector_out") {
            meter.features("projector_out", taps.projectorOut, expected)
        }
    }

    func load(_ name: String) throws(ParityError) -> RGBImage {
        do {
            return try loadImage(name)
        } catch {
            throw ParityError(
                "\(name): expected an image of the goldens' media folder: \(error). Give --media the "
                    + "folder that holds it."
            )
        }
    }

    /// What a case shows, cut into tiles.
    private func cuts(of golden: GoldenCase, _ family: LlavaFamily) throws -> [Cut] {
        if golden.pipeline == .video {
            let frames = try golden.record.videoFrames.map { try load($0) }
            return [
                Cut(
                    processed: family.videoProcessor.tiles(of: frames),
                    packing: .pooledFrames(count: frames.count)
                )
            ]
        }
        return try images(of: golden).map { image, layout in
            Cut(
                processed: family.tiles(of: image, layout: layout),
                packing: family.tilePacking(of: image, layout: layout)
            )
        }
    }

    /// The images a case shows, and how its pipeline cuts each.
    private func images(
        of golden: GoldenCase
    ) throws -> [(image: RGBImage, layout: ImageProcessor.Layout)] {
        let record = golden.record
        switch golden.pipeline {
        case .textOnly, .video:
            return []
        case .huggingFace(let isPadded):
            return try record.images.map { (try load($0), isPadded ? .paddedSquare : .anyres) }
        case .original:
            return try record.images.map { (try load($0), .anyres) }
        case .originalFrames:
            // The scripts squash every frame to one size before the processor squashes it again.
            return try record.videoFrames.enumerated().map { index, name in
                let frame = try load(name)
                guard let sizes = record.imageSizesWH, sizes.indices.contains(index),
                    sizes[index].count == 2, sizes[index].allSatisfy((1...4096).contains)
                else { return (frame, .squashed) }
                let size = sizes[index]
                let first = BicubicResampler.resize(frame, width: size[0], height: size[1])
                return (first, .squashed)
            }
        }
    }

    /// Bytes after resizing, and a sample of the normalised pixels.
    private func measurePixels(
        _ golden: GoldenCase,
        _ processed: [ProcessedImage],
        meter: inout ParityMeter
    ) throws {
        var source = golden
        if let twin = golden.record.tilesSameAs {
            source = try GoldenCase(directory: goldensDirectory, name: twin)
        }
        let actual = processed.flatMap { $0.tiles.flatMap(\.pixels) }
        let frames = source.bytes("frames_u8") ?? source.bytes("video_u8")
        let expected =
            frames ?? processed.indices.flatMap { source.bytes("tiles_u8_\($0)") ?? [] }
        meter.equal("pixels", actual, expected, note: golden.record.tilesSameAs)

        guard let indices = golden.indices("pixel_sample_idx"),
            let values = golden.floats("pixel_sample_val")
        else { return }
        // The batch is padded with zeros to the most tiles of an image.
        let pixels = processed.map { $0.normalized() }
        let imageFloats = pixels.map(\.count).max() ?? 0
        let sample = indices.map { index -> Float in
            guard index >= 0, imageFloats > 0 else { return .nan }
            let (image, offset) = index.quotientAndRemainder(dividingBy: imageFloats)
            guard pixels.indices.contains(image) else { return .nan }
            return offset < pixels[image].count ? pixels[image][offset] : 0
        }
        meter.equal("pixel_sample", sample, values)
    }
}
