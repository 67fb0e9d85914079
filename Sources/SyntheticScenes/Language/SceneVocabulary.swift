/// The words of all captions, questions and answers; `SceneWording` and `QuestionMaker` use no
/// others. A tokenizer for scenes gives each a token of its own.
package enum SceneVocabulary {
    /// In alphabetical order, those that begin a sentence with a capital first. Punctuation: `.`
    /// `,` and `?`.
    package static let words = capitalised + small

    private static let capitalised = list(
        """
        A An Describe Does First Four How Is It Last One The There Three Two What Where You
        """
    )

    private static let small = list(
        """
        a above after an and appears are at background becomes before beige below big bigger black
        blue bottom can change changes circle circles colour cross crosses cyan dark does down end
        first four from front gets goes green grey grow growing grows in is its large larger
        last left little many move moves moving object objects of on one or over picture plain
        purple red right ring rings see seen shape show shows shrink shrinking shrinks size small
        smaller square squares stands star stars start still striped stripes the then there three
        to top triangle triangles turning turns two under up video while white with
        yellow
        """
    )

    private static func list(_ text: String) -> [String] {
        text.split { $0.isWhitespace }.map(String.init)
    }
}
