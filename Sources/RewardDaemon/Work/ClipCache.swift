import Hashing
import Inference
import RewardModeling
import VisionPreprocessing

/// Clips decoded a short while ago, up to a number of bytes: items that ask several things about one video
/// stand close together, and decoding it takes longer than all else but the judging.
struct ClipCache {
    /// A video and how it is shown.
    struct Key: Hashable {
        /// SHA-256 of the file.
        let file: Digest
        let view: MediaView
    }

    private struct Entry {
        let clip: EngineClip
        let byteCount: Int
        var lastUse: Int
    }

    private let maximumByteCount: Int
    private var entries: [Key: Entry] = [:]
    private var byteCount = 0
    private var uses = 0

    init(maximumByteCount: Int) {
        self.maximumByteCount = maximumByteCount
    }

    /// The clip, if it is still here.
    mutating func clip(_ key: Key) -> EngineClip? {
        uses += 1
        entries[key]?.lastUse = uses
        return entries[key]?.clip
    }

    /// Keeps a clip in place of those not asked for longest; one that is over the limit by itself is not kept.
    mutating func insert(_ clip: EngineClip, _ key: Key) {
        let size = clip.frames.reduce(0) { $0 + $1.image.pixels.count }
        guard size <= maximumByteCount, entries[key] == nil else { return }
        while byteCount + size > maximumByteCount,
            let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            entries[oldest.key] = nil
            byteCount -= oldest.value.byteCount
        }
        uses += 1
        entries[key] = Entry(clip: clip, byteCount: size, lastUse: uses)
        byteCount += size
    }
}
