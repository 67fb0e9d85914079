import FoundationEssentials
import VisionPreprocessing

/// The fixtures under Tests/Goldens/decoding and hostile, and what Pillow makes of them.
enum DecodingGoldens {
    private struct Entry: Decodable {
        let shape: [Int]
        let data_offsets: [Int]
    }

    /// `Tests/Goldens/<path>`.
    static func path(_ path: String, file: StaticString = #filePath) -> String {
        let tests = String(describing: file).split(separator: "/").dropLast(2)
        return "/" + tests.joined(separator: "/") + "/Goldens/" + path
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: Self.path(path))))
    }

    /// File name and pixels of every fixture, sorted by name.
    static func decoded() throws -> [(name: String, image: RGBImage)] {
        let bytes = try bytes("decoding/decoded.safetensors")
        let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let data = bytes[(8 + length)...]
        return try JSONDecoder().decode([String: Entry].self, from: Data(bytes[8..<8 + length]))
            .sorted { $0.key < $1.key }
            .map { name, entry in
                let start = data.startIndex + entry.data_offsets[0]
                let end = data.startIndex + entry.data_offsets[1]
                let image = try RGBImage(
                    width: entry.shape[1],
                    height: entry.shape[0],
                    pixels: Array(data[start..<end])
                )
                return (name, image)
            }
    }

    /// Names of the fixtures, for parameterised tests.
    static let names: [String] = (try? decoded().map(\.name)) ?? []

    /// File name of each GIF and BMP with width, height and CRC-32 of the RGB bytes, sorted by name.
    static let gifAndBMP: [(String, [UInt32])] =
        (try? JSONDecoder().decode(
            [String: [UInt32]].self,
            from: Data(bytes("decoding/gif_bmp.json"))
        )).map { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } } ?? []

    /// What Pillow says of a hostile file: width, height and CRC-32 of the RGB bytes; or nothing.
    static func hostile() throws -> [(name: String, answer: [UInt32]?)] {
        try JSONDecoder().decode(
            [String: [UInt32]?].self,
            from: Data(bytes("hostile/pillow.json"))
        ).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The checksum of zlib, IEEE 802.3.
    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        let table = (0..<256).map { index -> UInt32 in
            (0..<8).reduce(UInt32(index)) { value, _ in
                value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1
            }
        }
        return ~bytes.reduce(~UInt32(0)) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ ($0 >> 8) }
    }
}

/// A small generator whose whole state is the seed a failure prints.
struct MutationSource: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    init(seed: UInt64) {
        state = seed | 1
    }

    /// `bytes` with some bytes changed, or cut, or a piece repeated.
    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        switch Int.random(in: 0..<8, using: &self) {
        case 0:
            result.removeLast(Int.random(in: 1...bytes.count, using: &self))
        case 1:
            let start = Int.random(in: 0..<bytes.count, using: &self)
            let piece = bytes[start..<min(start + 40, bytes.count)]
            result.insert(contentsOf: piece, at: Int.random(in: 0...bytes.count, using: &self))
        default:
            for _ in 0..<Int.random(in: 1...4, using: &self) {
                let position = Int.random(in: 0..<bytes.count, using: &self)
                result[position] = UInt8.random(in: 0...255, using: &self)
            }
        }
        return result
    }
}
