import Tokenization

extension PromptPack {
    /// The file beside `config.json` in which a checkpoint may bring its own pack.
    package static let fileName = "prompt_pack.json"

    /// The longest pack, in bytes; the built-in one has about ten thousand.
    static let maximumByteCount = 1 << 20

    /// The pack a checkpoint's directory brings, in the format of the built-in one; nil when it has
    /// none. It stands for the built-in pack as a whole: tasks it leaves out cannot be judged by this
    /// model.
    ///
    /// A model is trained on certain words and answers best to them. Throws `.invalidPromptPack` with
    /// a sentence that names the file and the path in it.
    package static func read(directory: String) throws(RewardModelingError) -> PromptPack? {
        let bytes: [UInt8]
        do throws(TokenizationError) {
            let file = try CheckpointTextFile.readIfPresent(
                directory: directory,
                name: fileName,
                maximumByteCount: maximumByteCount
            )
            guard let file else { return nil }
            bytes = file.bytes
        } catch {
            throw .invalidPromptPack(error.description)
        }
        do throws(RewardModelingError) {
            return try PromptPack(json: bytes)
        } catch {
            throw .invalidPromptPack("\(directory)/\(fileName): \(error.message)")
        }
    }
}
