import Foundation
import Hashing
import Inference
import Synchronization

/// Pictures as text for requests: `data:` URIs of PNG files, the latest kept, since both orders of a pair and
/// all comparisons of a candidate show the same ones.
final class PictureCache: Sendable {
    private struct State {
        var texts: [Digest: (text: [UInt8], lastUse: Int)] = [:]
        var byteCount = 0
        var clock = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter byteLimit: Bytes of text to keep.
    init(byteLimit: Int = 64 << 20) {
        limit = byteLimit
    }

    /// The picture's URI. Two callers at a time may both encode it; neither waits for the other.
    func uri(of picture: EngineImage) -> [UInt8] {
        let known = state.withLock { state -> [UInt8]? in
            state.clock += 1
            state.texts[picture.digest]?.lastUse = state.clock
            return state.texts[picture.digest]?.text
        }
        if let known { return known }
        let file = Data(PictureEncoder().encode(picture.image))
        let text = Array("data:image/png;base64,".utf8) + Array(file.base64EncodedData())
        state.withLock { insert(text, picture.digest, &$0) }
        return text
    }

    private func insert(_ text: [UInt8], _ digest: Digest, _ state: inout State) {
        guard text.count <= limit, state.texts[digest] == nil else { return }
        while state.byteCount + text.count > limit,
            let oldest = state.texts.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            state.texts[oldest.key] = nil
            state.byteCount -= oldest.value.text.count
        }
        state.texts[digest] = (text, state.clock)
        state.byteCount += text.count
    }
}
