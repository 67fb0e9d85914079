import FoundationEssentials

/// The fields of `preprocessor_config.json` that make pixels, checked one by one.
///
/// A video processor's file has the same fields.
struct ImageProcessorConfiguration: Sendable {
    /// Path of the file, for messages.
    let file: String
    private let fields: Fields

    /// The configuration in a checkpoint's directory; nil when it has none.
    static func read(
        directory: String
    ) throws(VisionPreprocessingError) -> ImageProcessorConfiguration? {
        let file = directory + "/preprocessor_config.json"
        if let data = try contents(file) {
            return ImageProcessorConfiguration(file: file, fields: try decode(data, file: file))
        }
        let wrapper = directory + "/processor_config.json"
        guard let data = try contents(wrapper) else { return nil }
        let wrapped: Wrapper = try decode(data, file: wrapper)
        return wrapped.image_processor.map {
            ImageProcessorConfiguration(file: wrapper, fields: $0)
        }
    }

    /// The configuration of frames of a video in a checkpoint's directory; nil when it has none.
    ///
    /// The `video_processor` part of `processor_config.json`, else `video_preprocessor_config.json`,
    /// else what holds for pictures (`video_processing_utils.py`, `get_video_processor_dict`).
    static func readVideo(
        directory: String
    ) throws(VisionPreprocessingError) -> ImageProcessorConfiguration? {
        let wrapper = directory + "/processor_config.json"
        if let data = try contents(wrapper) {
            let wrapped: Wrapper = try decode(data, file: wrapper)
            if let fields = wrapped.video_processor {
                return ImageProcessorConfiguration(file: wrapper, fields: fields)
            }
        }
        let file = directory + "/video_preprocessor_config.json"
        guard let data = try contents(file) else { return try read(directory: directory) }
        return ImageProcessorConfiguration(file: file, fields: try decode(data, file: file))
    }

    /// Side of a tile in pixels.
    func side() throws(VisionPreprocessingError) -> Int? {
        guard let size = fields.size else { return nil }
        let side: Int
        switch size {
        case .side(let value), .edges(shortest: let value, longest: _):
            side = value
        case .pixels:
            throw error("size: expected the side of a tile, got bounds of pixels.")
        case .rectangle(let height, let width):
            guard height == width else {
                throw error("size: expected a square, got \(height) × \(width).")
            }
            side = height
        }
        guard Self.sides.contains(side) else {
            throw error(
                "size: expected \(Self.sides.lowerBound) to \(Self.sides.upperBound) pixels, got \(side)."
            )
        }
        return side
    }

    /// Bounds of a picture's area: `min_pixels` and `max_pixels`, else the edges of `size`.
    func pixels(
        least: Int,
        most: Int
    ) throws(VisionPreprocessingError) -> (least: Int, most: Int) {
        var bounds = (least: least, most: most)
        switch fields.size {
        case .edges(let shortest, let longest), .pixels(let shortest, let longest):
            bounds = (shortest, longest)
        case .side, .rectangle:
            throw error("size: expected shortest_edge and longest_edge, got something else.")
        case nil:
            break
        }
        bounds = (fields.min_pixels ?? bounds.least, fields.max_pixels ?? bounds.most)
        guard bounds.least >= 1, bounds.least <= bounds.most, bounds.most <= 1 << 30 else {
            throw error(
                "min_pixels and max_pixels (or size): expected two ascending numbers from 1 to "
                    + "\(1 << 30), got \(bounds.least) and \(bounds.most)."
            )
        }
        return bounds
    }

    /// Refuses patches of another size than the vision tower's.
    func checkPatches(side: Int) throws(VisionPreprocessingError) {
        let sizes = [
            ("patch_size", fields.patch_size, side), ("merge_size", fields.merge_size, 2),
            ("temporal_patch_size", fields.temporal_patch_size, 2),
        ]
        for (name, value, expected) in sizes {
            guard let value, value != expected else { continue }
            throw error(
                "\(name): expected \(expected), got \(value). Is config.json from another "
                    + "checkpoint?"
            )
        }
    }

    /// Per channel.
    func mean() throws(VisionPreprocessingError) -> [Float] {
        try channels(
            fields.image_mean,
            field: "image_mean",
            range: 0...1,
            otherwise: usesClipDefaults ? Self.clipMean : [0.5, 0.5, 0.5]
        )
    }

    /// Per channel.
    func standardDeviation() throws(VisionPreprocessingError) -> [Float] {
        try channels(
            fields.image_std,
            field: "image_std",
            range: 1e-6...1e6,
            otherwise: usesClipDefaults ? Self.clipDeviation : [0.5, 0.5, 0.5]
        )
    }

    /// Canvas sizes in pixels, in the file's order; nil when the file has none.
    func pinpoints(side: Int) throws(VisionPreprocessingError) -> [(height: Int, width: Int)]? {
        guard let grid = fields.image_grid_pinpoints else { return nil }
        switch grid {
        case .text(let text):
            guard let pinpoints = Self.pinpoints(text, side: side) else {
                throw error(
                    "image_grid_pinpoints: expected a range such as \"(1x1),...,(6x6)\", got "
                        + "\"\(text.prefix(60))\"."
                )
            }
            return pinpoints
        case .list(let list):
            var pinpoints: [(height: Int, width: Int)] = []
            for pair in list {
                guard pair.count == 2 else {
                    throw error(
                        "image_grid_pinpoints: expected pairs of [height, width], got \(pair.count) "
                            + "numbers."
                    )
                }
                pinpoints.append((pair[0], pair[1]))
            }
            return pinpoints
        }
    }

    /// Refuses the settings this implementation does not have.
    func checkSteps() throws(VisionPreprocessingError) {
        let steps = [
            ("do_resize", fields.do_resize), ("do_rescale", fields.do_rescale),
            ("do_normalize", fields.do_normalize),
        ]
        for (name, value) in steps where value == false {
            throw error("\(name): expected true, got false. This step cannot be left out.")
        }
        if let resample = fields.resample, resample != 3 {
            throw error("resample: expected 3 (bicubic), got \(resample).")
        }
        if let factor = fields.rescale_factor, abs(factor * 255 - 1) > 1e-9 {
            throw error("rescale_factor: expected 1/255, got \(factor).")
        }
    }

    /// Refuses canvases that are not whole tiles, none, too many or too large.
    static func check(
        pinpoints: [(height: Int, width: Int)],
        side: Int,
        file: String
    ) throws(VisionPreprocessingError) {
        guard (1...1024).contains(pinpoints.count) else {
            throw VisionPreprocessingError(
                "\(file): image_grid_pinpoints: expected 1 to 1024 sizes, got \(pinpoints.count)."
            )
        }
        guard sides.contains(side) else {
            throw VisionPreprocessingError(
                "\(file): size: expected \(sides.lowerBound) to \(sides.upperBound) pixels, got \(side)."
            )
        }
        let limit = 32 * side
        for (height, width) in pinpoints {
            guard height > 0, width > 0, height % side == 0, width % side == 0, height <= limit,
                width <= limit
            else {
                throw VisionPreprocessingError(
                    "\(file): image_grid_pinpoints: expected multiples of \(side) up to \(limit), "
                        + "got \(height) × \(width)."
                )
            }
        }
    }

    // MARK: - Fields

    private static let sides = 14...4096
    /// OpenAI CLIP's, the class default of the LLaVA-OneVision and Qwen2-VL processors.
    private static let clipMean = [0.48145466, 0.4578275, 0.40821073]
    private static let clipDeviation = [0.26862954, 0.26130258, 0.27577711]

    private var usesClipDefaults: Bool {
        let type = fields.image_processor_type ?? fields.video_processor_type ?? ""
        return ["LlavaOnevision", "CLIP", "Qwen2VL"].contains { type.hasPrefix($0) }
    }

    private func channels(
        _ values: [Double]?,
        field: String,
        range: ClosedRange<Double>,
        otherwise: [Double]
    ) throws(VisionPreprocessingError) -> [Float] {
        let values = values ?? otherwise
        guard values.count == 3 else {
            throw error("\(field): expected 3 numbers, got \(values.count).")
        }
        for value in values where !range.contains(value) {
            throw error(
                "\(field): expected numbers from \(range.lowerBound) to \(range.upperBound), got "
                    + "\(value)."
            )
        }
        return values.map { Float($0) }
    }

    /// The reference's reading of "(1x1),...,(6x6)": every size from the first pair to the last
    /// (`mm_utils.py`, `process_anyres_image`), in tiles.
    private static func pinpoints(_ text: String, side: Int) -> [(height: Int, width: Int)]? {
        let pairs = text.split(separator: "(").dropFirst(text.hasPrefix("(") ? 0 : 1).compactMap {
            part -> (Int, Int)? in
            let numbers = part.prefix { $0 != ")" }.split(separator: "x")
            guard numbers.count == 2, let first = Int(numbers[0]), let second = Int(numbers[1])
            else { return nil }
            return (first, second)
        }
        guard let first = pairs.first, let last = pairs.last, first.0 >= 1, first.1 >= 1,
            last.0 >= first.0, last.1 >= first.1, last.0 <= 32, last.1 <= 32
        else { return nil }
        return (first.0...last.0).flatMap { rows in
            (first.1...last.1).map { columns in (rows * side, columns * side) }
        }
    }

    private func error(_ sentence: String) -> VisionPreprocessingError {
        VisionPreprocessingError("\(file): \(sentence)")
    }

    // MARK: - Parsing

    private static func contents(_ file: String) throws(VisionPreprocessingError) -> Data? {
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        do {
            return try Data(contentsOf: URL(filePath: file))
        } catch {
            throw VisionPreprocessingError("\(file): cannot be read: \(error).")
        }
    }

    private static func decode<Value: Decodable>(
        _ data: Data,
        file: String
    ) throws(VisionPreprocessingError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: data)
        } catch let error as DecodingError {
            throw VisionPreprocessingError("\(file): \(sentence(error))")
        } catch {
            throw VisionPreprocessingError("\(file): expected JSON, got something else.")
        }
    }

    private static func sentence(_ error: DecodingError) -> String {
        let context: DecodingError.Context
        switch error {
        case .typeMismatch(_, let c), .valueNotFound(_, let c), .keyNotFound(_, let c),
            .dataCorrupted(let c):
            context = c
        @unknown default:
            return "expected a preprocessor configuration, got something else."
        }
        let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
        let place = path.isEmpty ? "" : path.joined(separator: ".") + ": "
        return "\(place)\(context.debugDescription)"
    }

    private struct Wrapper: Decodable {
        let image_processor: Fields?
        let video_processor: Fields?
    }

    /// Names are the file's.
    private struct Fields: Decodable, Sendable {
        let size: Size?
        let image_mean: [Double]?
        let image_std: [Double]?
        let image_grid_pinpoints: Pinpoints?
        let image_processor_type: String?
        let video_processor_type: String?
        let do_resize: Bool?
        let do_rescale: Bool?
        let do_normalize: Bool?
        let resample: Int?
        let rescale_factor: Double?
        let min_pixels: Int?
        let max_pixels: Int?
        let patch_size: Int?
        let merge_size: Int?
        let temporal_patch_size: Int?
    }

    private enum Size: Decodable, Sendable {
        case side(Int)
        case rectangle(height: Int, width: Int)
        case edges(shortest: Int, longest: Int)
        case pixels(least: Int, most: Int)

        init(from decoder: any Decoder) throws {
            if let side = try? decoder.singleValueContainer().decode(Int.self) {
                self = .side(side)
                return
            }
            let sides = try decoder.singleValueContainer().decode([String: Int].self)
            if let shortest = sides["shortest_edge"], let longest = sides["longest_edge"] {
                self = .edges(shortest: shortest, longest: longest)
            } else if let least = sides["min_pixels"], let most = sides["max_pixels"] {
                self = .pixels(least: least, most: most)
            } else if let edge = sides["shortest_edge"] {
                self = .side(edge)
            } else if let height = sides["height"], let width = sides["width"] {
                self = .rectangle(height: height, width: width)
            } else {
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: decoder.codingPath,
                        debugDescription: "expected a number, height and width, or shortest_edge, "
                            + "got \(sides.keys.sorted().joined(separator: ", "))."
                    )
                )
            }
        }
    }

    private enum Pinpoints: Decodable, Sendable {
        case text(String)
        case list([[Int]])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .text(text)
            } else {
                self = .list(try container.decode([[Int]].self))
            }
        }
    }
}
