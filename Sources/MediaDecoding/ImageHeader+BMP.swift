extension ImageHeader {
    /// Reads a BMP's file and bitmap headers, and refuses the layouts whose pixels Pillow and bmptopnm do
    /// not agree on, or that neither reads.
    init(bmp bytes: [UInt8]) throws(MediaError) {
        guard bytes.count >= 26 else { throw Self.ended("BMP", "its header") }
        let headerBytes = Self.littleEndian(bytes, 14, count: 4)
        guard bytes.count >= 14 + headerBytes else { throw Self.ended("BMP", "its header") }
        if headerBytes == 12 {
            // OS/2 1: sizes of 16 bits, no compression.
            self.init(
                width: Self.littleEndian(bytes, 18, count: 2),
                height: Self.littleEndian(bytes, 20, count: 2)
            )
            try Self.checkLayout(bytes, bits: Self.littleEndian(bytes, 24, count: 2), coding: 0)
            return
        }
        guard [40, 52, 56, 64, 108, 124].contains(headerBytes) else {
            throw .unsupported(
                "BMP: expected a bitmap header of 12, 40, 52, 56, 64, 108 or 124 bytes, got "
                    + "\(headerBytes). Convert it to PNG."
            )
        }
        let width = Int(Int32(truncatingIfNeeded: Self.littleEndian(bytes, 18, count: 4)))
        // Rows from the top when negative.
        let height = Int(Int32(truncatingIfNeeded: Self.littleEndian(bytes, 22, count: 4)))
        self.init(width: max(width, 0), height: abs(height))
        try Self.checkLayout(
            bytes,
            bits: Self.littleEndian(bytes, 28, count: 2),
            coding: Self.littleEndian(bytes, 30, count: 4)
        )
    }

    private static func checkLayout(
        _ bytes: [UInt8],
        bits: Int,
        coding: Int
    ) throws(MediaError) {
        switch (bits, coding) {
        case (1, 0), (4, 0), (8, 0), (16, 0), (24, 0), (32, 0), (8, 1), (4, 2):
            return
        case (16, 3), (32, 3):
            // The masks of red, green and blue follow the first 40 bytes of every header version.
            guard bytes.count >= 66 else { throw ended("BMP", "its colour masks") }
            let masks = [54, 58, 62].map { littleEndian(bytes, $0, count: 4) }
            if masks == (bits == 16 ? [0x7C00, 0x3E0, 0x1F] : [0xFF_0000, 0xFF00, 0xFF]) {
                return
            }
            let names = masks.map { String($0, radix: 16) }.joined(separator: ", ")
            throw .unsupported(
                "BMP: expected the usual layout of \(bits) bits, got the colour masks \(names). "
                    + "Convert it to PNG."
            )
        default:
            throw .unsupported(
                "BMP: expected 1, 4, 8, 16, 24 or 32 bits a pixel, plain or run-length coded, got "
                    + "\(bits) bits of coding \(coding). Convert it to PNG."
            )
        }
    }
}
