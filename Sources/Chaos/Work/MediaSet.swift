import Glibc
import Staging
import SyntheticScenes

/// The pictures of a run: small PPM files, one of them damaged, and the name of one that is not there.
struct MediaSet {
    /// How many sound pictures there are.
    static let count = 24

    /// Where they lie.
    let directory: String

    /// The path of a sound picture; numbers beyond the last begin again.
    func picture(_ number: Int) -> String {
        "\(directory)/picture-\(number % Self.count).ppm"
    }

    /// A picture cut off in the middle.
    var damaged: String { directory + "/damaged.ppm" }

    /// A picture that does not exist.
    var missing: String { directory + "/missing.ppm" }

    /// Draws the pictures from the seed.
    func write(seed: UInt64) throws {
        mkdir(directory, 0o755)
        for number in 0..<Self.count {
            var random = SeededRandom(path: [seed, 3, UInt64(number)])
            let pixels = (0..<(16 * 16 * 3)).map { _ in UInt8(random.below(256)) }
            try write(Array("P6\n16 16\n255\n".utf8) + pixels, to: picture(number))
        }
        try write(Array("P6\n16 16\n255\n".utf8) + [1, 2, 3], to: damaged)
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "w") else {
            throw ChildProcess.Failure(description: "\(path): \(String(cString: strerror(errno)))")
        }
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else {
            throw ChildProcess.Failure(description: "\(path): \(String(cString: strerror(errno)))")
        }
    }
}
