import VisionPreprocessing

/// Reads what the decoders write, and PPM files as they are: one binary PNM (P4, P5 or P6) and not a byte
/// more.
enum PNMReader {
    /// How samples of 16 bits become 8.
    enum WideSamples: Sendable {
        /// The high byte, as Pillow unpacks 16-bit colour.
        case highByte
        /// At most 255, as Pillow converts its 16-bit gray mode (I;16).
        case clipped
    }

    /// Width and height in pixels that a PNM announces; nil when its header is cut short.
    static func size(of bytes: [UInt8]) -> (width: Int, height: Int)? {
        var header = Header(bytes: bytes)
        guard header.kind() != nil, let width = header.number(), let height = header.number()
        else { return nil }
        return (width, height)
    }

    /// The picture in `bytes`, which must have exactly the announced size.
    ///
    /// A zero exit status proves nothing (a broken input can end in a header and no pixels), so both
    /// the PNM's own size and its byte count must agree.
    static func read(
        _ bytes: [UInt8],
        width: Int,
        height: Int,
        wideSamples: WideSamples
    ) throws(MediaError) -> RGBImage {
        var header = Header(bytes: bytes)
        guard let kind = header.kind(), let pnmWidth = header.number(),
            let pnmHeight = header.number()
        else {
            throw .unreadable("decoder: expected a PNM header, got \(bytes.count) other bytes.")
        }
        let maximum = kind == .bitmap ? 1 : header.number() ?? 0
        guard (1...65_535).contains(maximum), header.skipSeparator() else {
            throw .unreadable(
                "decoder: expected a PNM header with its largest sample, got another."
            )
        }
        guard pnmWidth == width, pnmHeight == height else {
            throw .unreadable(
                "image: expected \(width) × \(height) pixels as its header says, got "
                    + "\(pnmWidth) × \(pnmHeight)."
            )
        }
        let sampleBytes = maximum > 255 ? 2 : 1
        let rowBytes =
            kind == .bitmap ? (width + 7) / 8 : width * kind.channels * sampleBytes
        let got = bytes.count - header.position
        guard got == rowBytes * height else {
            throw .unreadable(
                "image: expected \(rowBytes * height) bytes of pixels, got \(got). It is truncated "
                    + "or damaged."
            )
        }
        let data = bytes[header.position...]
        let pixels =
            switch kind {
            case .bitmap: unpacked(data, width: width, height: height)
            case .gray, .colour:
                samples(
                    data,
                    maximum: maximum,
                    wideSamples: wideSamples,
                    copies: kind == .colour ? 1 : 3
                )
            }
        do {
            return try RGBImage(width: width, height: height, pixels: pixels)
        } catch {
            throw .unreadable(error.message)
        }
    }

    /// Binary PPMs of 8-bit samples one after another, as ffmpeg writes frames, which must all be whole.
    static func sequence(_ bytes: [UInt8]) throws(MediaError) -> [RGBImage] {
        var images: [RGBImage] = []
        var header = Header(bytes: bytes)
        while header.position < bytes.count {
            guard header.kind() == .colour, let width = header.number(),
                let height = header.number(), header.number() == 255, header.skipSeparator(),
                case let (area, overflow) = width.multipliedReportingOverflow(by: height),
                !overflow, area <= (bytes.count - header.position) / 3
            else {
                throw .unreadable("decoder: expected frames one after another, got something else.")
            }
            let end = header.position + area * 3
            do {
                images.append(
                    try RGBImage(
                        width: width,
                        height: height,
                        pixels: Array(bytes[header.position..<end])
                    )
                )
            } catch {
                throw .unreadable(error.message)
            }
            header.position = end
        }
        return images
    }

    /// Samples as bytes, each written `copies` times.
    private static func samples(
        _ data: ArraySlice<UInt8>,
        maximum: Int,
        wideSamples: WideSamples,
        copies: Int
    ) -> [UInt8] {
        if maximum == 255, copies == 1 { return Array(data) }
        let wide = maximum > 255
        let count = data.count / (wide ? 2 : 1)
        // Levels of a byte: exact for 1, 3 and 15 (all that PNG has), rounded otherwise.
        let levels = (0..<256).map { UInt8((min($0, maximum) * 255 + maximum / 2) / maximum) }
        return [UInt8](unsafeUninitializedCapacity: count * copies) { output, initialized in
            data.withUnsafeBufferPointer { data in
                for index in 0..<count {
                    let level: UInt8
                    if !wide {
                        level = levels[Int(data[index])]
                    } else {
                        let sample = Int(data[2 * index]) << 8 | Int(data[2 * index + 1])
                        switch wideSamples {
                        case .clipped: level = UInt8(min(sample, 255))
                        case .highByte:
                            level =
                                maximum == 65_535
                                ? data[2 * index]
                                : UInt8((min(sample, maximum) * 255 + maximum / 2) / maximum)
                        }
                    }
                    for copy in 0..<copies { output[index * copies + copy] = level }
                }
            }
            initialized = count * copies
        }
    }

    /// One bit per pixel, 1 is black, rows padded to a byte.
    private static func unpacked(
        _ data: ArraySlice<UInt8>,
        width: Int,
        height: Int
    ) -> [UInt8] {
        let rowBytes = (width + 7) / 8
        return [UInt8](unsafeUninitializedCapacity: width * height * 3) { output, initialized in
            data.withUnsafeBufferPointer { data in
                for row in 0..<height {
                    for column in 0..<width {
                        let byte = data[row * rowBytes + column / 8]
                        let level: UInt8 = byte & (0x80 >> UInt8(column % 8)) == 0 ? 255 : 0
                        let target = (row * width + column) * 3
                        for channel in 0..<3 { output[target + channel] = level }
                    }
                }
            }
            initialized = width * height * 3
        }
    }

    private enum Kind {
        case bitmap
        case gray
        case colour

        var channels: Int { self == .colour ? 3 : 1 }
    }

    /// The textual start of a PNM.
    private struct Header {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        /// The kind of the PNM that starts at the position.
        mutating func kind() -> Kind? {
            guard bytes.count > position + 2, bytes[position] == UInt8(ascii: "P") else {
                return nil
            }
            position += 2
            switch bytes[position - 1] {
            case UInt8(ascii: "4"): return .bitmap
            case UInt8(ascii: "5"): return .gray
            case UInt8(ascii: "6"): return .colour
            default: return nil
            }
        }

        /// A decimal number of up to nine digits after white space and comments.
        mutating func number() -> Int? {
            var isComment = false
            while position < bytes.count {
                if bytes[position] == UInt8(ascii: "#") { isComment = true }
                if bytes[position] == UInt8(ascii: "\n") { isComment = false }
                guard isComment || isSpace(bytes[position]) else { break }
                position += 1
            }
            var value = 0
            var digits = 0
            while position < bytes.count, digits < 9, (0x30...0x39).contains(bytes[position]) {
                value = value * 10 + Int(bytes[position] - 0x30)
                position += 1
                digits += 1
            }
            return digits > 0 ? value : nil
        }

        /// The single white space before the samples.
        mutating func skipSeparator() -> Bool {
            guard position < bytes.count, isSpace(bytes[position]) else { return false }
            position += 1
            return true
        }

        private func isSpace(_ byte: UInt8) -> Bool {
            byte == 0x20 || (0x09...0x0D).contains(byte)
        }
    }
}
