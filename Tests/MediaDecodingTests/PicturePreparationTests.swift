import FoundationEssentials
import Testing
import VisionPreprocessing

@testable import MediaDecoding

/// A picture of the right size whose pixels went another way gives a score that looks right and is not the
/// reference's. Expected: `Goldens/make_prepare_goldens.py`.
@Suite("Pictures are prepared as the reference's scripts do")
struct PicturePreparationTests {
    private struct Goldens: Decodable {
        let sizes: [[Int]]
        let jpeg: [[Int]]
        let resize: [[Int]]
        let picture: [[Int]]
        let frame: [[Int]]

        static func read() throws -> Goldens {
            let path = DecodingGoldens.path("prepare/prepared.json")
            return try JSONDecoder().decode(
                Goldens.self,
                from: Data(contentsOf: URL(filePath: path))
            )
        }
    }

    private let recoder = JPEGRecoder(limits: MediaLimits())

    private static func drawn(_ width: Int, _ height: Int) throws -> RGBImage {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<3 {
                    let level = x * 7 + y * 3 + channel * 50 + x * y / 8 + (x ^ y) * (channel + 1)
                    pixels.append(UInt8(truncatingIfNeeded: level))
                }
            }
        }
        return try RGBImage(width: width, height: height, pixels: pixels)
    }

    private func prepared(
        _ image: RGBImage,
        _ preparation: PicturePreparation
    ) throws -> RGBImage {
        try preparation.prepared(image) { image, quality throws(MediaError) in
            try recoder.recode(image, quality: quality)
        }
    }

    @Test("a JPEG round trip gives Pillow's pixels, and OpenCV's")
    func jpeg() throws {
        let rows = try Goldens.read().jpeg
        #expect(rows.count == 24)
        for row in rows {
            let image = try Self.drawn(row[0], row[1])
            let again = try prepared(image, PicturePreparation([.jpeg(quality: row[2])]))
            #expect(again.width == row[0] && again.height == row[1])
            #expect(Int(DecodingGoldens.crc32(again.pixels)) == row[3], "\(row)")
        }
    }

    @Test("steps are taken one after the other, each with what the one before it left")
    func order() throws {
        let image = try Self.drawn(60, 40)
        let small = PicturePreparation([.resize(width: 17, height: 15)])
        let jpeg = PicturePreparation([.jpeg(quality: 95)])
        let both = PicturePreparation([.resize(width: 17, height: 15), .jpeg(quality: 95)])
        let other = PicturePreparation([.jpeg(quality: 95), .resize(width: 17, height: 15)])
        #expect(try prepared(image, both) == prepared(prepared(image, small), jpeg))
        #expect(try prepared(image, both) != prepared(image, other))
        let twice = PicturePreparation([.jpeg(quality: 95), .jpeg(quality: 95)])
        #expect(try prepared(image, twice) == prepared(prepared(image, jpeg), jpeg))
        #expect(try prepared(image, .none) == image)
        let names = [small, jpeg, both, other, twice, .none].map(\.description)
        #expect(Set(names).count == names.count)
    }

    @Test("squashing equals Pillow's resize")
    func resize() throws {
        for row in try Goldens.read().resize {
            let step = PicturePreparation.Step.resize(width: row[2], height: row[3])
            let image = try prepared(Self.drawn(row[0], row[1]), PicturePreparation([step]))
            #expect(Int(DecodingGoldens.crc32(image.pixels)) == row[4], "\(row)")
        }
    }

    @Test("sizes are those of qwen_vl_utils, for pictures and for frames of short and long clips")
    func sizes() throws {
        let rows = try Goldens.read().sizes
        #expect(rows.count > 600)
        for row in rows {
            let sizes = row[0] == 0 ? QwenPictureSizes.picture : .frame(of: row[0])
            let size = try #require(sizes.size(width: row[1], height: row[2]), "\(row)")
            #expect(size == (row[3], row[4]), "\(row)")
        }
        #expect(QwenPictureSizes.picture.size(width: 1, height: 201) == nil)
        // The reference fails over these: one side would be 0.
        let thin = try #require(QwenPictureSizes.frame(of: 768).size(width: 1000, height: 5))
        #expect(thin.height == 28 && thin.width % 28 == 0)
    }

    @Test("pictures are fitted as Pillow resizes, frames as torchvision does")
    func fit() throws {
        let goldens = try Goldens.read()
        let fit = PicturePreparation([.fit])
        for (rows, preparation) in [(goldens.picture, fit), (goldens.frame, fit.forFrames(of: 8))] {
            #expect(rows.count >= 3)
            for row in rows {
                let image = try prepared(Self.drawn(row[0], row[1]), preparation)
                #expect(image.width == row[2] && image.height == row[3])
                #expect(Int(DecodingGoldens.crc32(image.pixels)) == row[4], "\(row)")
            }
        }
        // Where the number of frames makes no difference, they have one name.
        let jpeg = PicturePreparation([.jpeg(quality: 95)])
        #expect(jpeg.forFrames(of: 8) == jpeg && fit.forFrames(of: 8) != fit)
        // Out of all proportion: left to the family, which says so.
        let thin = try Self.drawn(1, 300)
        #expect(try prepared(thin, fit) == thin)
    }

    @Test("a missing encoder is named with its package, a picture too long for a JPEG by its size")
    func failures() throws {
        let image = try Self.drawn(4, 4)
        let bare = JPEGRecoder(limits: MediaLimits(), directories: ["/nonexistent"])
        let missing = #expect(throws: MediaError.self) { try bare.recode(image, quality: 95) }
        #expect(missing?.code == "decoder_missing" && missing?.isHostFault == true)
        #expect(
            missing?.message
                == "cjpeg is not installed. Install the package libjpeg-turbo-progs."
        )
        let long = RGBImage.filled(width: 65_501, height: 1, colour: [1, 2, 3])
        let error = #expect(throws: MediaError.self) { try recoder.recode(long, quality: 95) }
        #expect(error?.code == "media_too_large")
        let sentence = "at most 65500 pixels for a JPEG file, got 65501 × 1"
        #expect(error?.message.contains(sentence) == true)
        // A file of noise is larger than the limit of files that are read.
        let tight = JPEGRecoder(limits: MediaLimits(maximumFileBytes: 10))
        #expect(throws: Never.self) { try tight.recode(image, quality: 100) }
    }
}
