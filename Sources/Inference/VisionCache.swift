package import Transformer

/// Features of images and clips already encoded, kept up to a number of bytes; the least recently used
/// goes first.
///
/// Keyed by the image's digest and its layout, or by the clip's digest, because the same picture is judged
/// in many prompts: against other candidates, in both orders, under several questions. Belongs to one
/// engine thread.
package struct VisionCache {
    /// Most bytes to keep; 0 keeps nothing.
    package let limit: Int
    /// Bytes kept.
    package private(set) var byteCount = 0
    /// Look-ups that found the image or clip, and that did not.
    package private(set) var hits = 0
    package private(set) var misses = 0

    private var entries: [String: (features: ImageFeatures, use: Int)] = [:]
    private var clock = 0

    /// An empty cache of at most `limit` bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    /// The features kept under `key`, now the most recently used.
    package mutating func features(for key: String) -> ImageFeatures? {
        clock += 1
        guard let features = entries[key]?.features else {
            misses += 1
            return nil
        }
        hits += 1
        entries[key]?.use = clock
        return features
    }

    /// Keeps features, dropping others until they fit; features over the limit are not kept.
    package mutating func insert(_ features: ImageFeatures, for key: String) {
        if let old = entries.removeValue(forKey: key) { byteCount -= old.features.byteCount }
        guard features.byteCount <= limit else { return }
        // A cache holds tens of images: a scan costs nothing beside one encoder layer.
        while byteCount + features.byteCount > limit,
            let oldest = entries.min(by: { $0.value.use < $1.value.use })
        {
            byteCount -= oldest.value.features.byteCount
            entries[oldest.key] = nil
        }
        clock += 1
        entries[key] = (features, clock)
        byteCount += features.byteCount
    }
}
