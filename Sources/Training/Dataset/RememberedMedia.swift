import Inference
import RewardModeling
import Synchronization
import VisionPreprocessing

/// The pictures and videos of one cluster, each read once however many records show it: a record of a group that
/// shares six pictures would else read and hash them again, which took six sevenths of the time of reading.
final class RememberedMedia: MediaProvider {
    private let media: any MediaProvider
    private let known = Mutex<[PreparedPicture: EngineImage]>([:])
    private let knownVideos = Mutex<[ViewedVideo: EngineClip]>([:])

    /// Nothing is read yet.
    init(_ media: any MediaProvider) { self.media = media }

    func image(
        _ reference: MediaReference,
        _ preparation: PicturePreparation
    ) async throws -> EngineImage {
        let key = PreparedPicture(reference: reference, preparation: preparation)
        if let image = known.withLock({ $0[key] }) { return image }
        let image = try await media.image(reference, preparation)
        known.withLock { $0[key] = image }
        return image
    }

    func video(_ reference: MediaReference, _ view: MediaView) async throws -> EngineClip {
        let key = ViewedVideo(reference: reference, view: view)
        if let clip = knownVideos.withLock({ $0[key] }) { return clip }
        let clip = try await media.video(reference, view)
        knownVideos.withLock { $0[key] = clip }
        return clip
    }

    private struct PreparedPicture: Hashable {
        let reference: MediaReference
        let preparation: PicturePreparation
    }

    private struct ViewedVideo: Hashable {
        let reference: MediaReference
        let view: MediaView
    }
}
