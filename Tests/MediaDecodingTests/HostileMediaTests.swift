import FoundationEssentials
import Testing
import VisionPreprocessing

@testable import MediaDecoding

@Suite("Hostile files end in pixels or a named refusal")
struct HostileMediaTests {
    private let decoder = ImageDecoder(limits: MediaLimits())
    private let codes: Set = ["media_unreadable", "media_too_large", "media_unsupported"]

    /// Files that Pillow reads and this refuses: a checksum, a missing palette or missing rows, which
    /// libpng insists on, and sides over the limit.
    private let stricter: Set = [
        "dims_100000x1.png", "dims_1x100000.png", "no_plte.png", "short_idat.png",
    ]
    /// Files that Pillow refuses and this reads: what is wrong lies in a chunk that is left out.
    private let laxer: Set = ["iccp_bomb.png"]

    @Test("each file gives Pillow's pixels or is refused as Pillow refuses it, in bounded time")
    func corpus() throws {
        let files = try DecodingGoldens.hostile()
        #expect(files.count > 90)
        let clock = ContinuousClock()
        for (name, answer) in files {
            let bytes = try DecodingGoldens.bytes("hostile/\(name)")
            let start = clock.now
            do throws(MediaError) {
                let image = try decoder.decode(bytes)
                let found = [
                    UInt32(image.width), UInt32(image.height), DecodingGoldens.crc32(image.pixels),
                ]
                if laxer.contains(name) { continue }
                #expect(found == answer, "\(name)")
            } catch {
                #expect(codes.contains(error.code), "\(name): \(error)")
                #expect(answer == nil || stricter.contains(name), "\(name): \(error)")
                #expect(error.message.hasSuffix("."), "\(name): \(error)")
            }
            #expect(clock.now - start < .seconds(11), "\(name)")
        }
    }

    @Test("damaged fixtures end in pixels of the announced size or a named refusal")
    func damagedFixtures() throws {
        let seed = UInt64.random(in: 1...UInt64.max)
        var random = MutationSource(seed: seed)
        for name in DecodingGoldens.names {
            let whole = try DecodingGoldens.bytes("decoding/\(name)")
            for _ in 0..<6 {
                let bytes = random.damaged(whole)
                do throws(MediaError) {
                    let image = try decoder.decode(bytes)
                    #expect(image.pixels.count == image.width * image.height * 3)
                } catch {
                    #expect(codes.contains(error.code), "seed \(seed), \(name): \(error)")
                }
            }
        }
    }

    @Test("damaged headers are read or refused, never crash")
    func damagedHeaders() throws {
        let seed = UInt64.random(in: 1...UInt64.max)
        var random = MutationSource(seed: seed)
        // Without programs: everything before the first process.
        let decoder = ImageDecoder(limits: MediaLimits(), directories: [])
        for name in DecodingGoldens.names {
            let head = Array(try DecodingGoldens.bytes("decoding/\(name)").prefix(700))
            for _ in 0..<300 {
                let bytes = random.damaged(
                    Array(head.prefix(Int.random(in: 1...700, using: &random)))
                )
                let error = #expect(throws: MediaError.self) { try decoder.decode(bytes) }
                #expect(error?.message.isEmpty == false, "seed \(seed), \(name)")
            }
        }
    }
}
