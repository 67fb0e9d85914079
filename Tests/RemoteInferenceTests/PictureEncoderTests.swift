import Hashing
import Inference
import MediaDecoding
import Testing
import VisionPreprocessing

@testable import RemoteInference

@Suite("Pictures as PNG files")
struct PictureEncoderTests {
    @Test("are read back as the same pixels", arguments: 1...12)
    func roundTrip(seed: UInt64) throws {
        var random = SeededBytes(seed: seed)
        let sizes = [(1, 1), (1, 700), (700, 1), (257, 3), (64, 64), (300, 200)]
        let (width, height) = sizes[Int(seed) % sizes.count]
        let image = try RGBImage(
            width: width,
            height: height,
            pixels: pixels(width, height, kind: Int(seed) % 4, &random)
        )
        let file = PictureEncoder().encode(image)
        #expect(try ImageDecoder(limits: MediaLimits()).decode(file) == image, "seed \(seed)")
    }

    @Test("flat ones are small, smooth ones smaller than their pixels")
    func sizes() throws {
        let flat = RGBImage.filled(width: 400, height: 300, colour: [200, 10, 30])
        #expect(PictureEncoder().encode(flat).count < 2500)
        var random = SeededBytes(seed: 3)
        let smooth = try RGBImage(
            width: 400,
            height: 300,
            pixels: pixels(400, 300, kind: 2, &random)
        )
        #expect(PictureEncoder().encode(smooth).count < smooth.pixels.count * 6 / 10)
    }

    @Test("codes are complete and within their limit, however uneven the counts")
    func codes() {
        var fibonacci = [1, 1]
        while fibonacci.count < 40 { fibonacci.append(fibonacci.suffix(2).reduce(0, +)) }
        for (counts, longest) in [
            (fibonacci, 15), (Array(fibonacci.prefix(19)), 7),
            ([Int](repeating: 1, count: 286), 15), ([0, 5, 0, 1], 15), ([0, 7], 15),
        ] {
            let code = HuffmanCode(counts: counts, longest: longest)
            #expect(code.lengths.allSatisfy { $0 <= longest })
            let used = counts.count { $0 > 0 }
            let sum = code.lengths.filter { $0 > 0 }.reduce(0) { $0 + (1 << (longest - $1)) }
            #expect(sum == (used == 1 ? 1 << (longest - 1) : 1 << longest))
            #expect(zip(counts, code.lengths).allSatisfy { ($0 > 0) == ($1 > 0) })
        }
    }

    @Test("are kept as text within the limit, the oldest leaving first")
    func cache() throws {
        let images = try (0..<4).map { try RemoteBench.image("\($0)") }
        let size = PictureCache().uri(of: images[0]).count
        let cache = PictureCache(byteLimit: size * 2 + size / 2)
        for image in images + images.reversed() {
            let uri = cache.uri(of: image)
            #expect(uri == PictureCache().uri(of: image))
        }
        let none = PictureCache(byteLimit: 0)
        #expect(none.uri(of: images[1]) == cache.uri(of: images[1]))
    }

    private func pixels(
        _ width: Int,
        _ height: Int,
        kind: Int,
        _ random: inout SeededBytes
    ) -> [UInt8] {
        (0..<width * height * 3).map { index in
            let (x, y) = (index / 3 % width, index / 3 / width)
            switch kind {
            case 0: return UInt8.random(in: 0...255, using: &random)
            case 1: return UInt8(x / 9 % 2 * 255)
            case 2:
                let noise = Int.random(in: 0...3, using: &random)
                return UInt8(truncatingIfNeeded: x / 3 + y / 2 + noise)
            default: return UInt8(truncatingIfNeeded: x &* y)
            }
        }
    }
}
