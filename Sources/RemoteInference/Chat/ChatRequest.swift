import Inference
import JSONReading
import Tokenization

/// The body of a request to `/chat/completions`.
///
/// The prompt is one message of the user's, its pictures as `image_url` parts where the prompt has them, a
/// clip as the pictures of its frames in order. The answer is decoded as the request says: what a server's own
/// defaults would change about that (`generation_config.json` of some models brings a repetition penalty) is set
/// back.
struct ChatRequest: Sendable {
    /// The name that the server knows the model by.
    let model: String
    let prompt: EnginePrompt
    /// The beginning of the answer, which the server is to go on with; nil or empty for none.
    var prefill = ""
    /// Most tokens that are written.
    let maximumTokens: Int
    /// How many of the most probable tokens are told for each one written; 0 for none.
    var tokenOffers = 0
    /// How tokens are chosen.
    var decoding = Decoding.greedy
    /// Whether the penalty for repetition is said, be it none.
    var namesPenalty = true

    /// vLLM and SGLang. Others call it otherwise, and take no notice of this.
    static let penaltyField = "repetition_penalty"

    /// The document. Pictures are put in as they are made by `uri`.
    func bytes(_ uri: (EngineImage) -> [UInt8]) -> [UInt8] {
        var bytes = Array(#"{"model":\#(quoted(model)),"messages":[{"role":"user","content":"#.utf8)
        appendContent(to: &bytes, uri)
        bytes += Array("}".utf8)
        if !prefill.isEmpty {
            bytes += Array(#",{"role":"assistant","content":\#(quoted(prefill))}"#.utf8)
        }
        bytes += Array(("]" + settings + "}").utf8)
        return bytes
    }

    /// A text alone is a string, which servers of text models ask for; anything with pictures is a list of parts.
    private func appendContent(to bytes: inout [UInt8], _ uri: (EngineImage) -> [UInt8]) {
        let texts = prompt.content.compactMap { if case .text(let text) = $0 { text } else { nil } }
        guard texts.count < prompt.content.count else {
            bytes += Array(quoted(texts.joined()).utf8)
            return
        }
        var separator = "["
        func appendPicture(_ image: EngineImage) {
            bytes += Array((separator + #"{"type":"image_url","image_url":{"url":""#).utf8)
            // Base64 and its prefix have nothing to be escaped.
            bytes += uri(image)
            bytes += Array(#""}}"#.utf8)
            separator = ","
        }
        for part in prompt.content {
            switch part {
            case .text(let text):
                bytes += Array((separator + #"{"type":"text","text":\#(quoted(text))}"#).utf8)
                separator = ","
            case .image(let index): appendPicture(prompt.images[index])
            case .video(let index): prompt.clips[index].frames.forEach(appendPicture)
            }
        }
        bytes += Array("]".utf8)
    }

    private var settings: String {
        let sampling = decoding.sampling
        var text = #","max_tokens":\#(maximumTokens)"#
        text += #","temperature":\#(number(sampling?.temperature ?? 0))"#
        text += #","top_p":\#(number(sampling?.topP ?? 1)),"seed":\#(sampling.map(seed) ?? 0)"#
        text += #","n":1,"stream":false"#
        if namesPenalty {
            let penalty = number(decoding.repetitionPenalty)
            text += #","\#(Self.penaltyField)":\#(penalty)"#
            if decoding.repetitionPenalty != 1 {
                // llama-server, which looks back 64 tokens unless it is told to look at all.
                text += #","repeat_penalty":\#(penalty),"repeat_last_n":-1"#
            }
        }
        if let topK = sampling?.topK { text += #","top_k":\#(topK)"# }
        if tokenOffers > 0 { text += #","logprobs":true,"top_logprobs":\#(tokenOffers)"# }
        if !prefill.isEmpty {
            text += #","add_generation_prompt":false,"continue_final_message":true"#
        }
        return text
    }

    /// Servers read seeds into integers of 32 or 64 bits, some of them signed.
    private func seed(_ sampling: Decoding.Sampling) -> UInt64 { sampling.seed & 0x7fff_ffff }

    private func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e6 ? String(Int(value)) : value.description
    }

    private func quoted(_ text: String) -> String { JSONNode.string(text).json }
}

extension EnginePrompt {
    /// Refuses a prompt whose content refers to pictures or clips that it does not have.
    func checkReferences() throws(InferenceError) {
        for part in content {
            switch part {
            case .text: continue
            case .image(let index) where images.indices.contains(index): continue
            case .video(let index) where clips.indices.contains(index):
                if !clips[index].frames.isEmpty { continue }
                throw .invalidRequest("clips[\(index)]: expected at least one frame, got none.")
            case .image(let index), .video(let index):
                throw .invalidRequest(
                    "content: expected pictures that the prompt has, got number \(index)."
                )
            }
        }
    }
}
