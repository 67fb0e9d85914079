import Foundation
import Testing

@testable import Transformer

@Suite("safetensors files")
struct SafetensorsFileTests {
    private let directory: CheckpointDirectory

    init() throws {
        directory = try CheckpointDirectory()
    }

    @Test("finds the golden checkpoint's tensors with shape and size")
    func golden() throws {
        let file = try SafetensorsFile(
            path: CheckpointGoldens.path + "/hf-bf16/model.safetensors"
        )
        let embedding = try #require(
            file.tensors["language_model.model.embed_tokens.weight"]
        )
        #expect(embedding.shape == [1024, 128])
        #expect(embedding.dtype == "BF16")
        #expect(file.bytes(of: embedding).count == 1024 * 128 * 2)
        #expect(file.name == "model.safetensors")
    }

    @Test("reads metadata, empty tensors, scalars, padding and unknown number types")
    func legal() throws {
        let header = """
            { "__metadata__" : {"format": "pt", "a\\"b": ""},
              "e": {"shape": [0, 9223372036854775807], "data_offsets": [4, 4], "dtype": "F32"},
              "s": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]},
              "q": {"dtype": "F4", "shape": [3], "data_offsets": [4, 6]} }
            """ + "   "
        let file = try open(
            CheckpointDirectory.safetensors(header: header, data: [1, 2, 3, 4, 5, 6])
        )
        #expect(file.tensors.count == 3)
        let scalar = try #require(file.tensors["s"])
        #expect(Array(file.bytes(of: scalar)) == [1, 2, 3, 4])
        let empty = try #require(file.tensors["e"])
        #expect(file.bytes(of: empty).isEmpty)
    }

    @Test(
        "refuses a header that does not fit its data, with both numbers",
        arguments: [
            (#""shape": [3, 2]"#, #""shape": [3, 3]"#, "expected 36 bytes for F32 [3, 3], got 24"),
            (#""dtype": "F32""#, #""dtype": "F16""#, "expected 12 bytes for F16 [3, 2], got 24"),
            ("[24, 32]", "[28, 36]", "tensor 'b': expected data from offset 24 on, got 28"),
            ("[24, 32]", "[20, 28]", "tensor 'b': expected data from offset 24 on, got 20"),
            ("[24, 32]", "[32, 24]", "two ascending 'data_offsets'"),
            ("[24, 32]", "[24]", "two ascending 'data_offsets'"),
            ("[24, 32]", "[-24, 32]", "expected a whole number that is not negative"),
            ("[24, 32]", "[24, 99999999999999999999]", "a number over 2^63 - 1"),
            ("[3, 2]", "[4611686018427387904, 4, 4]", "expected a shape that fits in memory"),
            ("\"b\"", "\"a\"", "tensor 'a' is named twice"),
            (#""shape": [2]"#, #""shape": [2], "shape": [2]"#, "got 'shape'"),
            (#""shape": [2], "#, "", "expected 'dtype', 'shape' and two ascending"),
            (#""shape": [2]"#, #""shape": {}"#, "expected '['"),
            ("}}", "}} x", "expected only spaces after the header"),
            ("}}", "}", "header, byte"),
        ]
    )
    func refusals(original: String, replacement: String, sentence: String) {
        let header = Self.header.replacingOccurrences(of: original, with: replacement)
        #expect(header != Self.header)
        let bytes = CheckpointDirectory.safetensors(
            header: header,
            data: Array(repeating: 0, count: 32)
        )
        #expect {
            try open(bytes)
        } throws: { error in
            "\(error)".hasPrefix("x.safetensors: ") && "\(error)".contains(sentence)
        }
    }

    @Test("a truncated file says what the header promises and what there is")
    func truncated() throws {
        let whole = CheckpointDirectory.safetensors(
            header: Self.header,
            data: Array(repeating: 0, count: 32)
        )
        #expect {
            try open(Array(whole.dropLast(5)))
        } throws: { error in
            "\(error)"
                == "x.safetensors: truncated: header promises \(whole.count) bytes, "
                + "file has \(whole.count - 5). Copy the file again."
        }
        for length in 0..<whole.count {
            #expect(throws: CheckpointError.self, "\(length) bytes") {
                try open(Array(whole.prefix(length)))
            }
        }
        #expect {
            try open(whole + [0])
        } throws: { error in
            "\(error)".contains("expected \(whole.count) bytes as the header says, got")
        }
    }

    @Test("refuses an absurd header length without reading it")
    func headerLength() {
        for length in [100_000_001, UInt64.max, 1 << 63] {
            let bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) }
            #expect {
                try open(bytes + [0x7B, 0x7D])
            } throws: { error in
                "\(error)".contains("expected a header of at most 100000000 bytes, got \(length)")
            }
        }
    }

    @Test("names a file that is missing, empty or not a file")
    func unreadable() throws {
        try directory.write([], to: "empty.safetensors")
        for (name, reason) in [
            ("none.safetensors", "No such file"), ("empty.safetensors", "an empty file"),
            (".", "expected a regular file"),
        ] {
            #expect {
                try SafetensorsFile(path: directory.path + "/" + name)
            } throws: { error in
                "\(error)".contains(directory.path + "/" + name) && "\(error)".contains(reason)
            }
        }
    }

    @Test("seeded mutations are opened or refused with a sentence, never a crash")
    func mutations() throws {
        let seed: UInt64 = 0x5AFE_7E45
        var mutator = CheckpointMutator(seed: seed)
        let whole = CheckpointDirectory.safetensors(
            header: Self.header,
            data: Array(repeating: 7, count: 32)
        )
        var refused = 0
        for round in 0..<6000 {
            // Every other round keeps the length field true, so that the header gets read.
            let bytes =
                round % 2 == 0
                ? mutator.mutate(whole)
                : CheckpointDirectory.safetensors(
                    header: String(
                        decoding: mutator.mutate(Array(Self.header.utf8)),
                        as: UTF8.self
                    ),
                    data: Array(whole.suffix(32))
                )
            do {
                let file = try open(bytes)
                let sum = file.tensors.values.reduce(0) { sum, entry in
                    sum + file.bytes(of: entry).reduce(0) { $0 + Int($1) }
                }
                #expect(sum <= 255 * bytes.count)
            } catch let error as CheckpointError {
                refused += 1
                #expect(error.description.contains("x.safetensors: "), "\(seed), \(round)")
            }
        }
        #expect(refused > 1000)
    }

    private static let header = """
        {"a": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}, \
        "b": {"dtype": "F32", "shape": [2], "data_offsets": [24, 32]}}
        """

    private func open(_ bytes: [UInt8]) throws -> SafetensorsFile {
        try directory.write(bytes, to: "x.safetensors")
        return try SafetensorsFile(path: directory.path + "/x.safetensors")
    }
}
