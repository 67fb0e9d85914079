import Inference
import RewardModeling
import Synchronization
import VisionPreprocessing

/// The pictures and videos of one cluster, each read once however many records show it: a record of a group that
/// shares six pictures would else read and hash them again, which took six sevenths of the time of reading.
final class RememberedMedia: MediaProvider {
    private let media: any MediaProvider
    private let known = Mutex<[MediaReference: EngineImage]>([:])
    private let knownVideos = Mutex<[SampledVideo: EngineClip]>([:])

    /// Nothing is read yet.
    init(_ media: any MediaProvider) { self.media = media }

    func image(_ reference: MediaReference) async throws -> EngineImage {
        if let image = known.withLock({ $0[reference] }) { return image }
        let image = try await media.image(reference)
        known.withLock { $0[reference] = image }
        return image
    }
    func video(_ reference: MediaReference, _ sampler: FrameSampler) async throws -> EngineClip {
        let key = SampledVideo(reference: reference, sampler: sampler)
        if let clip = knownVideos.withLock({ $0[key] }) { return clip }
        let clip = try await media.video(reference, sampler)
        knownVideos.withLock { $0[key] = clip }
        return clip
    }

    private struct SampledVideo: Hashable {
        let reference: MediaReference
        let sampler: FrameSampler
    }
}
