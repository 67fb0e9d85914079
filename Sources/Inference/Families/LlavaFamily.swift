import Hashing
package import TensorKernels
package import Tokenization
package import Transformer
package import VisionPreprocessing

/// LLaVA-OneVision: pictures in tiles, clips in one tile for each frame; see ``LlavaClipRule``.
package struct LlavaFamily: VisualFamily {
    package let processor: ImageProcessor
    package let videoProcessor: VideoProcessor
    package let packing: ImagePacking
    package let layoutRule: ImageLayoutRule
    package let clipRule: LlavaClipRule
    private let frameSide: Int
    private let config: LlavaConfig

    /// Sets the family up by the preprocessor files of a checkpoint.
    ///
    /// - Throws: a sentence for a file that is malformed or of another checkpoint.
    init(directory: String, config: LlavaConfig, options: EngineOptions) throws {
        self.config = config
        layoutRule = options.layoutRule ?? .standard(for: config.family)
        clipRule = .standard(for: config.family)
        frameSide = options.frameSide
        packing = ImagePacking(config)
        processor = try ImageProcessor.read(
            directory: directory,
            imageSize: config.vision.imageSize,
            pinpoints: config.imageGridPinpoints.map { ($0.height, $0.width) }
        )
        videoProcessor = try VideoProcessor.read(
            directory: directory,
            imageSize: config.vision.imageSize
        )
        for (file, side) in [
            ("preprocessor_config.json", processor.imageSize),
            ("video_preprocessor_config.json", videoProcessor.imageSize),
        ] where side != config.vision.imageSize {
            throw InferenceError.modelUnusable(
                "\(file): expected tiles of side \(config.vision.imageSize), got \(side). Is "
                    + "config.json from another checkpoint?"
            )
        }
    }

    package var patchLimit: Int { 0 }

    package func identity(template: ChatTemplate) -> String {
        [
            "layout=\(layoutRule.rawValue)",
            "tiles=\(config.vision.imageSize)/max\(config.maximumTiles)",
            "mean=\(processor.mean.map { "\($0)" }.joined(separator: ","))",
            "std=\(processor.standardDeviation.map { "\($0)" }.joined(separator: ","))",
            "resize=pillow12",
            clipIdentity(template),
        ].joined(separator: " ")
    }

    private func clipIdentity(_ template: ChatTemplate) -> String {
        switch clipRule {
        case .pooled: "video=torchvision/pooled2:\(videoDigest(template))"
        case .frames: "video=pillow12/frames\(frameSide)"
        }
    }

    /// Names how clips are shown by what is done to a sample: a black and a white frame give mean and
    /// deviation, a rendered message the places of clips.
    private func videoDigest(_ template: ChatTemplate) -> String {
        let frames = [0, 255].map { RGBImage.filled(width: 1, height: 1, colour: [$0, $0, $0]) }
        let plane = videoProcessor.imageSize * videoProcessor.imageSize
        let pixels = videoProcessor.tiles(of: frames).normalized()
        let levels = stride(from: 0, to: pixels.count, by: plane).map { pixels[$0] }
        let sample = template.render([.text("a"), .video(0), .image(0), .video(1), .text("b")])
        return String(SHA256.digest("\(levels) \(sample)".utf8).hex.prefix(16))
    }

    package func plan(
        _ elements: [PromptElement],
        of prompt: EnginePrompt
    ) throws(InferenceError) -> VisualPlan {
        let imageCount = elements.count { if case .image = $0 { true } else { false } }
        let layout = layoutRule.layout(imageCount: imageCount)
        var plan = VisualPlan(elements: [], visuals: [])
        for element in elements {
            switch element {
            case .text, .control:
                plan.elements.append(element)
            case .image(let slot):
                plan.elements.append(element)
                let image = try prompt.image(at: slot)
                let packing = tilePacking(of: image.image, layout: layout)
                plan.visuals.append(
                    PlannedVisual(
                        source: .image(slot),
                        cut: .tiles(layout, packing),
                        tokens: self.packing.tokenCount(of: packing),
                        key: "\(image.digest.hex) \(layout)"
                    )
                )
            case .video(let slot):
                let clip = try prompt.clip(at: slot)
                switch clipRule {
                case .frames: expand(clip, slot: slot, element, into: &plan)
                case .pooled:
                    let packing = ImageTiles.Packing.pooledFrames(count: clip.frames.count)
                    plan.elements.append(element)
                    plan.visuals.append(
                        PlannedVisual(
                            source: .clip(slot),
                            cut: .tiles(.squashed, packing),
                            tokens: self.packing.tokenCount(of: packing),
                            key: "clip \(clip.digest.hex)"
                        )
                    )
                }
            }
        }
        plan.elements = PromptElement.merged(plan.elements)
        return plan
    }

    /// A slot for each frame in place of the clip's one, a line break between two; the template has
    /// written the last one.
    private func expand(
        _ clip: EngineClip,
        slot: Int,
        _ element: PromptElement,
        into plan: inout VisualPlan
    ) {
        for (index, frame) in clip.frames.enumerated() {
            if index > 0 { plan.elements.append(.text("\n")) }
            plan.elements.append(element)
            plan.visuals.append(
                PlannedVisual(
                    source: .frame(clip: slot, index: index),
                    cut: .tiles(.squashed, .frame),
                    tokens: packing.tokenCount(of: .frame),
                    key: "frame \(frame.digest.hex)"
                )
            )
        }
    }

    /// Cuts an image into tiles, still 8 bits per sample.
    package func tiles(of image: RGBImage, layout: ImageProcessor.Layout) -> ProcessedImage {
        processor.tiles(of: image, layout: layout)
    }

    /// Squashes one frame that is shown as a picture into a tile, by way of the scripts' size.
    package func pictureTile(of frame: RGBImage) -> ProcessedImage {
        processor.tiles(
            of: BicubicResampler.resize(frame, width: frameSide, height: frameSide),
            layout: .squashed
        )
    }

    /// Squashes one frame of a clip into a tile, still 8 bits per sample.
    package func tile(of frame: RGBImage) -> ProcessedImage {
        videoProcessor.tiles(of: [frame])
    }

    /// How the features of an image's tiles will be packed, from its size.
    package func tilePacking(
        of image: RGBImage,
        layout: ImageProcessor.Layout
    ) -> ImageTiles.Packing {
        switch layout {
        case .paddedSquare: return .singleTile
        case .squashed: return .frame
        case .anyres:
            let grid = AnyresGrid(
                width: image.width,
                height: image.height,
                pinpoints: processor.pinpoints
            )
            return .anyres(
                gridRows: grid.canvasHeight / processor.imageSize,
                gridColumns: grid.canvasWidth / processor.imageSize,
                originalWidth: image.width,
                originalHeight: image.height
            )
        }
    }

    package func makeEncoder(
        model: VisionLanguageModel,
        pool: ComputeThreadPool
    ) -> any VisualEncoder {
        guard let llava = model.llava else {
            preconditionFailure("expected a model of LLaVA-OneVision, as its config.json says")
        }
        return LlavaEncoder(model: llava, family: self, pool: pool)
    }
}
