import Inference
import Testing
import Transformer

@Suite("Vision cache")
struct VisionCacheTests {
    @Test("drops the least recently used first, and counts bytes")
    func leastRecentlyUsed() {
        var cache = VisionCache(limit: 3 * 40)
        for key in ["a", "b", "c"] { cache.insert(features(10), for: key) }
        #expect(cache.features(for: "a") != nil)
        cache.insert(features(10), for: "d")
        #expect(cache.features(for: "b") == nil)
        #expect(cache.features(for: "a") != nil)
        #expect(cache.byteCount == 120)
        #expect(cache.hits == 2)
        #expect(cache.misses == 1)
    }

    @Test("does not keep what is over the limit")
    func overLimit() {
        var cache = VisionCache(limit: 39)
        cache.insert(features(10), for: "a")
        #expect(cache.features(for: "a") == nil)
        #expect(cache.byteCount == 0)
    }

    @Test("a key inserted again replaces the old rows")
    func replacement() {
        var cache = VisionCache(limit: 100)
        cache.insert(features(10), for: "a")
        cache.insert(features(5), for: "a")
        #expect(cache.byteCount == 20)
        #expect(cache.features(for: "a")?.tokens == 5)
    }

    private func features(_ floats: Int) -> ImageFeatures {
        ImageFeatures(tokens: floats, hidden: 1, values: Array(repeating: 0, count: floats))
    }
}
