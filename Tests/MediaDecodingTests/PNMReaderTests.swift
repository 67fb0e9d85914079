import Testing
import VisionPreprocessing

@testable import MediaDecoding

@Suite("PNM")
struct PNMReaderTests {
    @Test("the three binary kinds are read")
    func kinds() throws {
        #expect(try read("P6 1 2 255\n", [1, 2, 3, 4, 5, 6]) == [1, 2, 3, 4, 5, 6])
        #expect(try read("P5\n# made by hand 9 9\n1 2\n255\n", [7, 8]) == [7, 7, 7, 8, 8, 8])
        #expect(try read("P4 1 2\n", [0x80, 0x7F]) == [0, 0, 0, 255, 255, 255])
        #expect(try read("P5 1 2 3\n", [1, 3]) == [85, 85, 85, 255, 255, 255])
        #expect(try read("P5 1 2 65535\n", [1, 0, 0xFF, 2]) == [1, 1, 1, 255, 255, 255])
        #expect(
            try read("P5 1 2 65535\n", [1, 0, 0, 9], wide: .clipped) == [255, 255, 255, 9, 9, 9]
        )
        #expect(
            try read("P6 1 2 65535\n", [9, 0, 8, 0, 7, 0, 6, 0, 5, 0, 4, 0]) == [9, 8, 7, 6, 5, 4]
        )
    }

    @Test(
        "anything else is refused",
        arguments: [
            ("", 0), ("P6", 0), ("P6 1 2 255\n", 5), ("P6 1 2 255\n", 7), ("P6 1 2 255", 0),
            ("P6 1 2 0\n", 6), ("P6 1 2 65536\n", 12), ("P6 2 1 255\n", 6), ("P3 1 2 255\n", 6),
            ("P6 -1 2 255\n", 6), ("P6 1 99999999999999999999 255\n", 6), ("P4 1 2\n", 1),
            ("P7 1 2 255\n", 6), ("# P6 1 2 255\n", 6), ("P5 1 2 65535\n", 2),
        ]
    )
    func refused(header: String, count: Int) {
        #expect(throws: MediaError.self) {
            try read(header, [UInt8](repeating: 0, count: count))
        }
    }

    @Test("random bytes never crash")
    func random() {
        let seed = UInt64.random(in: 1...UInt64.max)
        var random = MutationSource(seed: seed)
        let whole = Array("P6 3 4 255\n".utf8) + [UInt8](repeating: 65, count: 36)
        for _ in 0..<3000 {
            let bytes = random.damaged(whole)
            let image = try? PNMReader.read(bytes, width: 3, height: 4, wideSamples: .highByte)
            #expect(image == nil || image?.pixels.count == 36, "seed \(seed)")
        }
    }

    private func read(
        _ header: String,
        _ samples: [UInt8],
        wide: PNMReader.WideSamples = .highByte
    ) throws -> [UInt8] {
        try PNMReader.read(Array(header.utf8) + samples, width: 1, height: 2, wideSamples: wide)
            .pixels
    }
}
