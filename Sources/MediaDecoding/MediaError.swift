/// Why a picture or video could not be had. The code is what an item's failure is filed under.
package enum MediaError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The bytes are not a whole picture or video, or the file may not be read.
    case unreadable(String)
    /// There is no such file under the roots.
    case notFound(String)
    /// Over the limit of pixels, of bytes, of time, or of the decoder's memory.
    case tooLarge(String)
    /// A video with fewer frames than are to be shown.
    case tooShort(String)
    /// The path does not lie under a configured root. Says nothing about what is there.
    case outsideRoots(String)
    /// A picture or video of a kind that is not decoded here.
    case unsupported(String)
    /// A decoder program is not installed.
    case decoderMissing(String)
    /// The system would not start a decoder; the same picture may work later.
    case decoderFailed(String)

    /// The name stored with a failed item.
    package var code: String {
        switch self {
        case .unreadable: "media_unreadable"
        case .notFound: "media_not_found"
        case .tooLarge: "media_too_large"
        case .tooShort: "media_too_short"
        case .outsideRoots: "media_outside_roots"
        case .unsupported: "media_unsupported"
        case .decoderMissing: "decoder_missing"
        case .decoderFailed: "decoder_failed"
        }
    }

    /// What was expected, what was got, and what to do, without the code.
    package var message: String {
        switch self {
        case .unreadable(let message), .notFound(let message), .tooLarge(let message),
            .tooShort(let message), .outsideRoots(let message), .unsupported(let message),
            .decoderMissing(let message), .decoderFailed(let message):
            message
        }
    }

    /// Whether the fault is this host's, not the picture's: trying again, here or elsewhere, may help.
    package var isHostFault: Bool {
        switch self {
        case .decoderMissing, .decoderFailed: true
        default: false
        }
    }

    package var description: String { "\(code): \(message)" }
}
