import Foundation
import Testing

@testable import SyntheticScenes

@Suite("PNG files")
struct PNGEncoderTests {
    /// What pngtopnm makes of the bytes: it checks the checksums of chunks and of the stream.
    private func decoded(_ file: [UInt8]) throws -> [UInt8] {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "scenes-\(UUID().uuidString).png"
        )
        defer { try? FileManager.default.removeItem(at: url) }
        try Data(file).write(to: url)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["pngtopnm", url.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return Array(data)
    }

    @Test("an ordinary decoder reads the very pixels back", arguments: [1, 2, 3, 17, 128])
    func pixels(side: Int) throws {
        var pictures = [ScenePicture(side: side, colour: PixelColour(255, 0, 7))]
        pictures.append(SceneGenerator(seed: 4, split: .train).group(1).picture(of: 2, side: side))
        var noise = pictures[0]
        var random = SeededRandom(seed: 6)
        for place in noise.pixels.indices {
            // Runs of every length up to several hundred, and none.
            noise.pixels[place] =
                place > 0 && random.chance(0.995) && side > 17
                ? noise.pixels[place - 1] : UInt8(random.below(256))
        }
        pictures.append(noise)
        for picture in pictures {
            let header = Array("P6\n\(side) \(side)\n255\n".utf8)
            #expect(try decoded(PNGEncoder().encode(picture)) == header + picture.pixels)
        }
    }

    @Test("drawn scenes become much smaller than their pixels")
    func size() {
        let group = SceneGenerator(seed: 4, split: .train).group(1)
        let bytes = PNGEncoder().encode(group.picture(of: 0)).count
        #expect(bytes < 128 * 128 * 3 / 4, "\(bytes)")
    }
}
