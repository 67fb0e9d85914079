/// One decoder program and how it is called: from its standard input to a PNM on its output.
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

    static let all = [jpeg, png, webp, gif, bmp]
}
