/// Why a picture or a preprocessor configuration was refused, as one sentence.
package struct VisionPreprocessingError: Error, CustomStringConvertible, Sendable, Equatable {
    /// `subject: expected …, got … . Remedy.`
    package let message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
