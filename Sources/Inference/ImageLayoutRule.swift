package import Transformer
package import VisionPreprocessing

/// How the images of a prompt are cut into tiles, by the number of images.
package enum ImageLayoutRule: String, Sendable, Hashable {
    /// Every image in anyres tiles: the original LLaVA code, and Hugging Face's flat image list.
    case anyresAlways = "anyres"
    /// One image in anyres tiles; several as one padded tile each: what Hugging Face's processor does
    /// with the nested list its chat template builds.
    case paddedWhenSeveral = "anyres_or_padded"

    /// What the reference code of a layout of LLaVA-OneVision does.
    package static func standard(for family: ModelFamily) -> ImageLayoutRule {
        family == .llavaQwen ? .anyresAlways : .paddedWhenSeveral
    }

    /// The layout of each image of a prompt that shows `imageCount` images.
    package func layout(imageCount: Int) -> ImageProcessor.Layout {
        switch self {
        case .anyresAlways: .anyres
        case .paddedWhenSeveral: imageCount > 1 ? .paddedSquare : .anyres
        }
    }
}
