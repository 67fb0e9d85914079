import Testing
import VisionPreprocessing

@testable import MediaDecoding

@Suite("What ffprobe and ffmpeg write is read")
struct VideoReadingTests {
    @Test("a probe's lines: shown packets, the stream's fields, its turn")
    func probe() throws {
        let text = """
            packet|flags=K_
            packet|flags=__
            packet|flags=_D

            packet|flags=__
            stream|codec_name=h264|width=128|height=64|avg_frame_rate=30000/1001|side_data|rotation=-90

            """
        let probe = try #require(VideoProbe(Array(text.utf8)))
        #expect(probe.codec == "h264" && probe.width == 128 && probe.height == 64)
        #expect(probe.packetCount == 4 && probe.frameCount == 3)
        #expect(probe.framesPerSecond == 30000.0 / 1001 && probe.rotation == -90)
        let bare = try #require(VideoProbe(Array("stream|codec_name=gif|avg_frame_rate=0/0".utf8)))
        #expect(bare.framesPerSecond == nil && bare.width == 0 && bare.packetCount == 0)
        #expect(VideoProbe(Array("packet|flags=K_\n".utf8)) == nil)
        #expect(VideoProbe([]) == nil)
    }

    @Test("messages: faults are kept, streams without a decoder and warnings are none")
    func messages() {
        let messages = FFmpegMessages(
            """
            [swscaler @ 0x55c0] [warning] deprecated pixel format used
            [aac @ 0x5639] [error] Codec (aac) not on whitelist 'h264,hevc'
            [aac @ 0x5639] [error] Codec (aac) not on whitelist 'h264,hevc'
            """
        )
        #expect(messages.faults.isEmpty && messages.unlistedCodecs == ["aac"])
        let damaged = FFmpegMessages(
            """
            [mov,mp4 @ 0x55] [warning] Packet corrupt (stream = 0, dts = 512).
            [h264 @ 0x55] [IMGUTILS @ 0x7f] [error] Picture size 9x9 exceeds specified max pixel count 8
            [graph 0 input @ 0x55] [warning] Changing video frame properties on the fly is not …
            goes on [error] here
            [fatal] file:/dev/stdin: \u{1b}[2J gone.
            """
        )
        #expect(damaged.faults.count == 3 && damaged.isOverPixels && damaged.changesMidway)
        #expect(
            damaged.summary
                == "Packet corrupt (stream = 0, dts = 512).; Picture size 9x9 exceeds specified max "
                + "pixel count 8"
        )
        #expect(FFmpegMessages("").summary == "nothing on standard error")
        #expect(FFmpegMessages("[error] \u{1b}x.").summary == "?x")
    }

    @Test("frames one after another: all whole, or refused")
    func sequence() throws {
        let one = Array("P6\n2 1\n255\n".utf8) + [1, 2, 3, 4, 5, 6]
        let two = Array("P6\n1 1\n255\n".utf8) + [7, 8, 9]
        let images = try PNMReader.sequence(one + two)
        #expect(images.map(\.pixels) == [[1, 2, 3, 4, 5, 6], [7, 8, 9]])
        #expect(try PNMReader.sequence([]).isEmpty)
        for bytes in [
            Array(one.dropLast()), one + [0], Array(two.dropLast(2)), Array("P5\n1 1\n255\n1".utf8),
            Array("P6\n999999999 999999999\n255\n123".utf8), Array("P6\n0 0\n255\n".utf8),
            Array("P6\n1 1\n65535\n123456".utf8),
        ] {
            #expect(throws: MediaError.self) { try PNMReader.sequence(bytes) }
        }
    }

    @Test("boxes: what the last one lacks")
    func boxes() {
        let box: [UInt8] = [0, 0, 0, 12] + Array("free".utf8) + [0, 0, 0, 0]
        #expect(BoxWalk.missingBytes(box + box) == 0)
        #expect(BoxWalk.missingBytes(box + box.dropLast(3)) == 3)
        let wide: [UInt8] = [0, 0, 0, 1] + Array("mdat".utf8) + [0, 0, 0, 0, 0, 0, 0, 20, 1, 2]
        #expect(BoxWalk.missingBytes(wide) == 2)
        // To the end of the file; too small to be a box; a size that no file has.
        #expect(BoxWalk.missingBytes([0, 0, 0, 0] + Array("mdat".utf8) + [1]) == 0)
        #expect(BoxWalk.missingBytes(box + [0, 0, 0, 3] + Array("junk".utf8)) == 0)
        #expect(
            BoxWalk.missingBytes(
                [0, 0, 0, 1] + Array("mdat".utf8) + [UInt8](repeating: 255, count: 8)
            ) == 0
        )
        #expect(BoxWalk.missingBytes([]) == 0)
    }
}
