/// One program that reads or writes pictures and how it is called. A decoder goes from its standard input to
/// a PNM on its output; ``writing(jpegOf:)`` is the way back.
///
/// The options are those whose pixels equal Pillow's (`Image.open(f).convert("RGB")`); no argument
/// ever comes from the outside.
struct DecodeCommand: Sendable, Equatable {
    /// Name of the program, looked for in the system's directories only.
    let program: String
    /// Debian package that has it.
    let package: String
    /// Arguments after the program's name.
    let arguments: [String]
    /// Exit status for a picture that is there with warnings about its data; nil when there is none.
    let warningStatus: Int32?

    /// libjpeg-turbo with its defaults: accurate DCT, smooth chroma up-sampling, CMYK converted. At
    /// most 100 scans, which stops progressive-scan bombs; memory in thousands of bytes.
    static let jpeg = DecodeCommand(
        program: "djpeg",
        package: "libjpeg-turbo-progs",
        arguments: ["-maxmemory", "400000", "-maxscans", "100", "-pnm"],
        warningStatus: 2
    )

    /// Alpha dropped, gamma and profiles not applied. Not "-quiet": that drops libpng's reasons.
    static let png = DecodeCommand(
        program: "pngtopnm",
        package: "netpbm",
        arguments: [],
        warningStatus: nil
    )

    /// Alpha dropped. "-- -" reads the standard input.
    static let webp = DecodeCommand(
        program: "dwebp",
        package: "webp",
        arguments: ["-quiet", "-ppm", "-o", "-", "--", "-"],
        warningStatus: nil
    )

    /// Palette colours as they are, transparent ones too.
    static let gif = DecodeCommand(
        program: "giftopnm",
        package: "netpbm",
        arguments: [],
        warningStatus: nil
    )

    /// Not "-quiet", as for PNG; what it says of a good file goes unread.
    static let bmp = DecodeCommand(
        program: "bmptopnm",
        package: "netpbm",
        arguments: [],
        warningStatus: nil
    )

    static let all = [jpeg, png, webp, gif, bmp, writing(jpegOf: 95)]

    /// A PPM to a JPEG file as Pillow's `save(format="JPEG", quality: …)` and OpenCV's `imwrite` write it, byte
    /// for byte where their own writers' marks are the same: accurate DCT, colours at half the resolution.
    static func writing(jpegOf quality: Int) -> DecodeCommand {
        DecodeCommand(
            program: "cjpeg",
            package: "libjpeg-turbo-progs",
            arguments: [
                "-quality", "\(quality)", "-baseline", "-sample", "2x2", "-dct", "int",
                "-maxmemory", "400000",
            ],
            warningStatus: nil
        )
    }
}
