import FoundationEssentials
import Testing
import VisionPreprocessing

@testable import MediaDecoding

/// What breaks silently: an option of a decoder that smooths chroma another way, or scales where
/// Pillow clips, gives pictures that look right and scores that are not the reference's.
@Suite("Decoded pixels equal Pillow's")
struct ImageDecoderTests {
    private let decoder = ImageDecoder(limits: MediaLimits())

    @Test("each format's pixels are identical", arguments: DecodingGoldens.names)
    func equalsPillow(name: String) throws {
        let expected = try #require(DecodingGoldens.decoded().first { $0.name == name }).image
        let image = try decoder.decode(DecodingGoldens.bytes("decoding/\(name)"))
        #expect(image == expected)
    }

    @Test("so are those of GIF, the first picture, and BMP", arguments: DecodingGoldens.gifAndBMP)
    func equalsPillow(name: String, answer: [UInt32]) throws {
        let image = try decoder.decode(DecodingGoldens.bytes("decoding/\(name)"))
        #expect([UInt32(image.width), UInt32(image.height)] == answer.prefix(2))
        #expect(DecodingGoldens.crc32(image.pixels) == answer[2])
    }

    @Test("the fixtures cover JPEG, PNG and WebP")
    func covers() {
        #expect(DecodingGoldens.names.count == 67)
        #expect(DecodingGoldens.gifAndBMP.count == 25)
        #expect(ImageDecoder.missingPrograms().isEmpty)
    }

    @Test(
        "what is not decoded here is named",
        arguments: [
            ("animated.webp", "got an animated WebP"), ("still.tiff", "got TIFF"),
            ("offset.gif", "expected a first picture that fills its canvas of 60 × 31 pixels"),
            ("fields565.bmp", "got the colour masks f800, 7e0, 1f"),
            ("fields_rgbx.bmp", "got the colour masks ff, ff00, ff0000"),
            ("png_inside.bmp", "got 24 bits of coding 5"),
        ]
    )
    func unsupported(name: String, sentence: String) throws {
        let bytes = try DecodingGoldens.bytes("decoding/refused/\(name)")
        let error = #expect(throws: MediaError.self) { try decoder.decode(bytes) }
        #expect(error?.code == "media_unsupported")
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "")")
    }

    @Test(
        "what is no picture is described",
        arguments: [
            ("", "got an empty file"), ("hello, I am called cat.png\n", "got text"),
            ("\u{0}\u{1}\u{2}", "got unknown bytes '00 01 02'"),
        ]
    )
    func noPicture(text: String, sentence: String) {
        let error = #expect(throws: MediaError.self) { try decoder.decode(Array(text.utf8)) }
        #expect(
            error?.description
                == "media_unreadable: image: expected a JPEG, PNG, WebP, GIF, BMP or binary PPM "
                + "image, \(sentence). Name another file."
        )
    }

    @Test("a binary PPM is its pixels, read without a program, and refused when it is not whole")
    func plainPixels() throws {
        let decoder = ImageDecoder(limits: MediaLimits(maximumPixels: 4), directories: [])
        let pixels: [UInt8] = [1, 2, 3, 4, 5, 6]
        let image = try decoder.decode(Array("P6\n# two\n2 1\n255\n".utf8) + pixels)
        #expect(image.width == 2 && image.height == 1 && image.pixels == pixels)
        for (header, code) in [
            ("P6\n2 1\n255\n0", "media_unreadable"), ("P6\n2", "media_unreadable"),
            ("P6\n5 1\n255\n", "media_too_large"), ("P6\n0 0\n255\n", "media_unreadable"),
            ("P5\n2 1\n255\n", "media_unsupported"),
        ] {
            let error = #expect(throws: MediaError.self) {
                try decoder.decode(Array(header.utf8) + pixels)
            }
            #expect(error?.code == code, "\(header)")
        }
    }

    @Test("sizes over the limits are refused by the header, before a program starts")
    func overLimits() throws {
        // No program can be found, so getting as far as one would be another error.
        let decoder = ImageDecoder(limits: MediaLimits(), directories: [])
        for (width, height) in [(100_000, 100_000), (60_000, 60_000), (70_000, 1)] {
            let bytes = makePNGHeader(width: width, height: height)
            let error = #expect(throws: MediaError.self) { try decoder.decode(bytes) }
            #expect(error?.code == "media_too_large")
            #expect(error?.message.contains("\(width) × \(height)") == true)
        }
        for (width, height) in [(0, 5), (5, 0)] {
            let bytes = makePNGHeader(width: width, height: height)
            let error = #expect(throws: MediaError.self) { try decoder.decode(bytes) }
            #expect(error?.code == "media_unreadable")
        }
        let small = ImageDecoder(limits: MediaLimits(maximumPixels: 45 * 31 - 1))
        let fits = ImageDecoder(limits: MediaLimits(maximumPixels: 45 * 31))
        for name in ["j420.jpg", "rgb8.png", "lossy.webp", "lossless.webp", "lossy_alpha.webp"] {
            let bytes = try DecodingGoldens.bytes("decoding/\(name)")
            let error = #expect(throws: MediaError.self) { try small.decode(bytes) }
            #expect(error?.code == "media_too_large")
            #expect(try fits.decode(bytes).width == 45)
        }
        let few = ImageDecoder(limits: MediaLimits(maximumFileBytes: 100))
        let error = #expect(throws: MediaError.self) {
            try few.decode([UInt8](repeating: 1, count: 101))
        }
        #expect(error?.message == "image: expected at most 100 bytes, got 101.")
    }

    @Test("a truncated JPEG is refused at every length")
    func truncatedJPEG() throws {
        let bytes = try DecodingGoldens.bytes("decoding/j420.jpg")
        for length in stride(from: 3, to: bytes.count, by: 61) {
            let error = #expect(throws: MediaError.self, "\(length) bytes") {
                try decoder.decode(Array(bytes[..<length]))
            }
            #expect(error?.code == "media_unreadable")
        }
    }

    @Test("a truncated GIF or BMP is refused at every length")
    func truncatedOthers() throws {
        for name in ["palette64.gif", "rgb24.bmp", "rle8.bmp"] {
            // The last bytes of a GIF are the end of its data and its end mark.
            let bytes = try DecodingGoldens.bytes("decoding/\(name)").dropLast(3)
            for length in stride(from: 6, to: bytes.count, by: bytes.count / 12) {
                let error = #expect(throws: MediaError.self, "\(name), \(length) bytes") {
                    try decoder.decode(Array(bytes[..<length]))
                }
                #expect(error?.code == "media_unreadable", "\(name), \(length) bytes")
            }
        }
    }

    @Test("a damaged and truncated JPEG is refused although the first warning is of the damage")
    func damagedAndTruncated() throws {
        var bytes = try DecodingGoldens.bytes("decoding/jrestart.jpg")
        bytes.removeLast(60)
        // A restart mark out of turn in the middle of the picture data.
        let middle = bytes.count - 200
        bytes.replaceSubrange(middle..<middle + 2, with: [0xFF, 0xD5])
        #expect(throws: MediaError.self) { try decoder.decode(bytes) }
    }

    @Test("a missing program is named with its package, in the list and when it is needed")
    func missingPrograms() throws {
        #expect(
            ImageDecoder.missingPrograms(in: ["/nonexistent"]) == [
                "djpeg (package libjpeg-turbo-progs)", "pngtopnm (package netpbm)",
                "dwebp (package webp)", "giftopnm (package netpbm)",
                "bmptopnm (package netpbm)", "cjpeg (package libjpeg-turbo-progs)",
            ]
        )
        let decoder = ImageDecoder(limits: MediaLimits(), directories: ["/nonexistent"])
        let bytes = try DecodingGoldens.bytes("decoding/rgb8.png")
        let error = #expect(throws: MediaError.self) { try decoder.decode(bytes) }
        #expect(error?.code == "decoder_missing")
        #expect(error?.message == "pngtopnm is not installed. Install the package netpbm.")
        #expect(error?.isHostFault == true)
    }

    @Test("a decoder without the memory it needs says so")
    func memory() throws {
        let decoder = ImageDecoder(limits: MediaLimits(maximumMemoryBytes: 24 << 20))
        let bytes = try DecodingGoldens.bytes("hostile/bigger_than_data_2000x2000.jpg")
        // One that is decoded line by line needs little; a PNG is held whole.
        #expect(try decoder.decode(bytes).width == 2000)
        let png = makePNGHeader(width: 7000, height: 7000)
        let error = #expect(throws: MediaError.self) { try decoder.decode(png) }
        #expect(["media_too_large", "media_unreadable"].contains(error?.code ?? ""))
    }

    @Test("many pictures at once are decoded each to its own pixels")
    func concurrently() async throws {
        let fixtures = try DecodingGoldens.decoded()
        let decoder = decoder
        let different = try await withThrowingTaskGroup(of: Bool.self) { group in
            for (name, expected) in fixtures + fixtures {
                group.addTask {
                    try decoder.decode(DecodingGoldens.bytes("decoding/\(name)")) != expected
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(different == 0)
    }

    private func makePNGHeader(width: Int, height: Int) -> [UInt8] {
        func word(_ value: Int) -> [UInt8] {
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
        }
        let header = Array("IHDR".utf8) + word(width) + word(height) + [8, 2, 0, 0, 0]
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + word(13) + header
            + word(Int(DecodingGoldens.crc32(header)))
    }
}
