import FoundationEssentials
package import Transformer

/// One recorded run of the reference: a prompt, its images, and the numbers at every stage.
///
/// Written by a generator outside this package: `<case>.json` beside `<case>.safetensors`.
package struct GoldenCase: Sendable {
    /// The JSON part. Keys as the generator writes them.
    package struct Record: Decodable, Sendable {
        struct Message: Decodable, Sendable {
            struct Part: Decodable, Sendable {
                let type: String
                let text: String?
            }
            let content: [Part]
        }
        struct VideoMetadata: Decodable, Sendable {
            let fps: Double?
        }
        let family: String
        let prompt: String
        let images: [String]
        let videoFrames: [String]
        let inputIDs: [Int32]
        let batchNumImages: [Int]?
        let imageSizesWH: [[Int]]?
        let tilesSameAs: String?
        let genIDs: [Int32]
        let genMargins: [Double]
        let fp32GenIDs: [Int32]?
        let fp32MinMargin: Double?
        /// Largest difference of logits between two attention paths of the reference itself.
        let noiseFloor: Double?
        let messages: [Message]?
        let expandedPrompt: String?
        let promptForm: String?
        let pixelBackend: String?
        let videoMetadata: VideoMetadata?
        /// The processor chose among the frames.
        let samplesFrames: Bool?
        /// Of a clip of Qwen2.5-VL in the places it was trained with.
        let trainedGenIDs: [Int32]?

        private enum CodingKeys: String, CodingKey {
            case family, prompt, images, messages
            case expandedPrompt = "expanded_prompt"
            case promptForm = "prompt_form"
            case pixelBackend = "pixel_backend"
            case videoMetadata = "video_metadata"
            case samplesFrames = "do_sample_frames"
            case trainedGenIDs = "v457_gen_ids"
            case videoFrames = "video_frames"
            case inputIDs = "input_ids"
            case batchNumImages = "batch_num_images"
            case imageSizesWH = "image_sizes_wh"
            case tilesSameAs = "tiles_same_as"
            case genIDs = "gen_ids"
            case genMargins = "gen_margins"
            case fp32GenIDs = "fp32ckpt_gen_ids"
            case fp32MinMargin = "fp32ckpt_gen_min_margin"
            case noiseFloor = "sdpa_vs_eager_maxdiff"
        }
    }

    /// Which pipeline of the reference made it.
    package enum Pipeline: Sendable, Equatable {
        case textOnly
        /// Hugging Face processor; one padded tile each when the images came as one nested list.
        case huggingFace(isPadded: Bool)
        /// Original LLaVA code: −200 marks an image.
        case original
        /// Original LLaVA code, frames given as one tensor: plain tiles, no newline.
        case originalFrames
        /// Hugging Face video path with pooling.
        case video
    }

    /// File name without its ending.
    package let name: String
    /// The JSON part.
    package let record: Record
    /// The tensor part.
    package let tensors: SafetensorsFile

    /// Reads `<directory>/<name>.json` and `.safetensors`.
    ///
    /// - Throws: ``ParityError`` naming the file.
    package init(directory: String, name: String) throws(ParityError) {
        self.name = name
        let path = "\(directory)/\(name).json"
        do {
            let data = try Data(contentsOf: URL(filePath: path))
            record = try JSONDecoder().decode(Record.self, from: data)
            tensors = try SafetensorsFile(path: "\(directory)/\(name).safetensors")
        } catch {
            throw ParityError(
                "\(path): expected a golden case and its tensors: \(error). Make it with the golden "
                    + "generator."
            )
        }
    }

    /// Every case in a directory, by name; files that are no case (`tokenizer.json`) are left out.
    ///
    /// - Throws: ``ParityError`` when the directory cannot be read or a case is malformed.
    package static func all(in directory: String) throws(ParityError) -> [GoldenCase] {
        let files: [String]
        do {
            files = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw ParityError(
                "\(directory): expected a directory of goldens: \(error). Give --goldens the "
                    + "folder that holds the <case>.json files."
            )
        }
        let tensors = Set(files.filter { $0.hasSuffix(".safetensors") })
        var cases: [GoldenCase] = []
        for file in files.sorted() where file.hasSuffix(".json") {
            let name = String(file.dropLast(5))
            guard tensors.contains(name + ".safetensors") else { continue }
            cases.append(try GoldenCase(directory: directory, name: name))
        }
        return cases
    }

    /// Which pipeline of the reference made it.
    package var pipeline: Pipeline {
        let isOriginal = name.hasPrefix("orig") || record.inputIDs.contains(-200)
        if !record.videoFrames.isEmpty { return isOriginal ? .originalFrames : .video }
        if record.images.isEmpty { return .textOnly }
        if isOriginal { return .original }
        let isNested = record.images.count > 1 && record.batchNumImages == [record.images.count]
        return .huggingFace(isPadded: isNested)
    }

    /// A tensor as floats; nil when the case does not record it.
    package func floats(_ key: String) -> [Float]? {
        values(key, type: "F32", as: Float.self)
    }

    /// A tensor of bytes; nil when the case does not record it.
    package func bytes(_ key: String) -> [UInt8]? {
        values(key, type: "U8", as: UInt8.self)
    }

    /// A tensor of indices, 32 or 64 bits wide; nil when the case does not record it.
    package func indices(_ key: String) -> [Int]? {
        if let wide = values(key, type: "I64", as: Int64.self) { return wide.map { Int($0) } }
        return values(key, type: "I32", as: Int32.self)?.map { Int($0) }
    }

    private func values<Value: BitwiseCopyable>(
        _ key: String,
        type: String,
        as _: Value.Type
    ) -> [Value]? {
        guard let entry = tensors.tensors[key], entry.dtype == type else { return nil }
        let bytes = tensors.bytes(of: entry)
        let stride = MemoryLayout<Value>.stride
        let count = bytes.count / stride
        return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes.prefix(count * stride))
            )
            initialized = count
        }
    }
}

/// Goldens that cannot be read.
package struct ParityError: Error, CustomStringConvertible, Sendable {
    /// The whole sentence.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
