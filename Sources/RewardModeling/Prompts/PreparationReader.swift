import VisionPreprocessing

/// Reads a template's `"prepare"`: the steps that scripts take with a picture before the model's own
/// preprocessing, such as `[{"resize": [512, 512]}, {"jpeg": 95}]`.
struct PreparationReader {
    private static let name = "prepare"
    private static let sides = 1...4096
    private static let qualities = 1...100
    /// The only sizes that ``PicturePreparation/Step/fit`` knows.
    private static let fit = "qwen_vl_utils"

    private let reader: PayloadReader

    /// - Parameter reader: The template's.
    init(_ reader: PayloadReader) {
        self.reader = reader
    }

    /// The steps; none where nothing is said. Throws `.invalidPromptPack` with the path of the first fault.
    func preparation(clips: ClipDisplay) throws(RewardModelingError) -> PicturePreparation {
        guard reader.value(Self.name) != nil else { return .none }
        let expected = "an array of 1 to \(PicturePreparation.mostSteps) steps"
        let values = try reader.array(Self.name, expected)
        guard (1...PicturePreparation.mostSteps).contains(values.count) else {
            throw reader.mismatch(Self.name, expected)
        }
        var steps: [PicturePreparation.Step] = []
        for (place, value) in values.enumerated() {
            let path = "\(reader.path(of: Self.name))[\(place)]"
            let step = try Self.step(value, path: path)
            guard step != .fit || clips == .videos else {
                throw .invalidPromptPack(
                    "\(path).fit: expected no sizes of clips where clips are shown as pictures"
                )
            }
            steps.append(step)
        }
        return PicturePreparation(steps)
    }

    private static func step(
        _ value: PayloadValue,
        path: String
    ) throws(RewardModelingError) -> PicturePreparation.Step {
        if case .object(let fields) = value, let field = fields.first, fields.count == 1 {
            switch (field.key, field.value) {
            case ("resize", .array(let ends)):
                if ends.count == 2, let width = whole(ends[0], in: sides),
                    let height = whole(ends[1], in: sides)
                {
                    return .resize(width: width, height: height)
                }
            case ("jpeg", let number):
                if let quality = whole(number, in: qualities) { return .jpeg(quality: quality) }
            case ("fit", .string(fit)): return .fit
            default: break
            }
        }
        throw .invalidPromptPack(
            "\(path): expected {\"resize\": [width, height]} of 1 to \(sides.upperBound), "
                + "{\"jpeg\": quality} of 1 to 100 or {\"fit\": \"\(fit)\"}, got \(value.json)"
        )
    }

    private static func whole(_ value: PayloadValue, in range: ClosedRange<Int>) -> Int? {
        guard case .number(let number) = value, number == number.rounded(),
            (Double(range.lowerBound)...Double(range.upperBound)).contains(number)
        else { return nil }
        return Int(number)
    }
}
