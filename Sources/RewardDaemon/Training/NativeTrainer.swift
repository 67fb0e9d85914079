import Foundation
import Inference
import Logging
import MediaDecoding
import RewardModeling
import Training
import VisionPreprocessing

/// Runs train jobs with the training module.
struct NativeTrainer: TrainingJobRunner {
    /// The longest dataset, in bytes: it is held in memory.
    static let maximumDatasetBytes = 4 << 30

    let roots: MediaRoots
    let media: any MediaProvider
    let logger: Logger

    func run(
        _ assignment: TrainingAssignment,
        report: @escaping @Sendable (TrainingProgress) async -> TrainingVerdict
    ) async throws -> TrainingResult {
        let path = assignment.datasetPath
        let request = TrainingRequest(
            baseDirectory: assignment.baseDirectory,
            dataset: try dataset(at: path),
            datasetName: String(path.split(separator: "/").last ?? "dataset"),
            workDirectory: assignment.workDirectory,
            outputDirectory: assignment.outputDirectory,
            options: assignment.options,
            threads: assignment.threads,
            memoryLimit: assignment.memoryLimit ?? Self.physicalMemory
        )
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        let run = TrainingRun(
            request,
            media: FolderMedia(folder: "/" + folder, media: media),
            logger: logger
        )
        return try await run.run { await report($0) == .proceed }
    }

    private func dataset(at path: String) throws -> [UInt8] {
        var limits = MediaLimits()
        limits.maximumFileBytes = Self.maximumDatasetBytes
        do throws(MediaError) {
            return try roots.read(path: path, limits: limits)
        } catch {
            throw MediaFailure(code: error.code, message: "dataset: \(error.message)")
        }
    }

    private static var physicalMemory: Int {
        Int(clamping: ProcessInfo.processInfo.physicalMemory)
    }
}

/// Files named relative to the folder of a dataset.
private struct FolderMedia: MediaProvider {
    let folder: String
    let media: any MediaProvider

    func image(
        _ reference: MediaReference,
        _ preparation: PicturePreparation
    ) async throws -> EngineImage {
        try await media.image(absolute(reference), preparation)
    }

    func video(_ reference: MediaReference, _ view: MediaView) async throws -> EngineClip {
        try await media.video(absolute(reference), view)
    }

    private func absolute(_ reference: MediaReference) -> MediaReference {
        guard case .path(let path) = reference, !path.hasPrefix("/") else { return reference }
        return .path("\(folder)/\(path)")
    }
}
