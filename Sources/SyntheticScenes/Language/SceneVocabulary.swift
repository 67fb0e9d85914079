/// The words of all captions, questions, answers and conversations; `SceneWording`, `QuestionMaker` and
/// `RecordSampler` use no others. A tokenizer for scenes gives each a token of its own.
package enum SceneVocabulary {
    /// In alphabetical order, those that begin a sentence with a capital first. Besides them stand
    /// `.`, `,`, `?`, `:`, digits and ends of lines.
    package static let words = capitalised + small

    private static let capitalised = list(
        """
        A All An Describe Does First Four How Is It Last List Map No One Score The There Three Two
        What Where Wrong You
        """
    )

    private static let small = list(
        """
        a above acts after all an and answer appears are at background becomes before beige below
        big black blue blur bottom can cast change changes circle circles colour colours cross
        crosses cyan dark direction does down edges end fault first flicker four from front goes
        green grey image in is jagged large last left little many mild missing move moves moving new
        no noise number object objects of on one or over picture place plain purple red right ring
        rings see seen severe shape shapes show shows size sizes small square squares stands start
        still striped stripes texture textures the then there three to too top triangle triangles
        turning turns two under up video while white with wrong yellow
        """
    )

    private static func list(_ text: String) -> [String] {
        text.split { $0.isWhitespace }.map(String.init)
    }
}
