import Foundation
import Hashing
import PromptImport
import RewardModeling
import Testing
import VisionPreprocessing

/// The scripts here are written for these tests; only the ways they spell their strings are those of
/// real ones.
@Suite("Importing prompt packs")
struct PackImportTests {
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory
            .appending(path: "prompt-import-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    /// A text of some length that asks about a caption.
    private static let words =
        "Look at both pictures. Which one shows what is described?\nThe description: {prompt}\n"
        + "Answer 'Image 1 is better than Image 2.' or the other way round, with \"no\" more words."

    // MARK: - Ways to spell a text

    @Test(
        "a text is found however a file spells it",
        arguments: [
            // f-string with a field of another name, single quotes, escapes.
            """
            q = f'Look at both pictures. Which one shows what is described?\\nThe description: \
            {caption}\\nAnswer \\'Image 1 is better than Image 2.\\' or the other way round, with \
            "no" more words.'
            """,
            // Triple quotes over several lines, with an expression that has quotes of its own.
            """
            def ask(data):
                return f\"\"\"Look at both pictures. Which one shows what is described?
            The description: {data['prompt'].strip()!s:>3}
            Answer 'Image 1 is better than Image 2.' or the other way round, with \\"no\\" more words.\"\"\"
            """,
            // Neighbours in brackets, with comments between, after a prefix of media.
            """
            text = (
                "<image>\\n <image>\\n"  # two pictures, "quoted"
                "Look at both pictures. Which one shows what is described?\\n"
                f"The description: {prompt}\\n"
                'Answer \\'Image 1 is better than Image 2.\\' or the other way round, '
                u"with \\"no\\" more words."
            )
            """,
            // Joined by +, one part by .format with doubled braces nowhere.
            """
            a = DEFAULT_IMAGE_TOKEN + "\\n" + "Look at both pictures. Which one shows what is " + \\
                "described?\\nThe description: {prompt}\\n" + \
            "Answer 'Image 1 is better than Image 2.' or the other way round, with \\"no\\" more words."
            """,
            // A list of messages, the text by `.replace`.
            """
            m = [{"type": "text", "text": "Look at both pictures. Which one shows what is \\
            described?\\nThe description: {prompt}\\nAnswer 'Image 1 is better than Image 2.' or the \\
            other way round, with \\"no\\" more words.".replace("{prompt}", p)}]
            """,
            // A file that forgets to escape a quotation mark and does not compile.
            """
            x = f'Look at both pictures. Which one shows what is described?\\nThe description: \
            {prompt}\\nAnswer 'Image 1 is better than Image 2.' or the other way round, with "no" more \
            words.'
            """,
        ]
    )
    func spellings(source: String) throws {
        var finder = TemplateFinder(digests(["IG-PAIR-QWEN": Self.words]))
        finder.look(through: Array(source.utf8), named: "a.py")
        let find = try #require(finder.found["IG-PAIR-QWEN"], "\(source)")
        #expect(find.text == Self.words)
    }

    @Test("braces of JSON are kept, doubled ones of f-strings and .format are halved")
    func braces() throws {
        let text =
            "Reply with JSON such as { \"score\": [1, 2], \"why\": {} } and nothing else.\n"
            + "What was asked for: {instruction}\nGive each score a number from 0 to 25, please."
        for source in [
            #"""
            p = f"""Reply with JSON such as {{ "score": [1, 2], "why": {{}} }} and nothing else.
            What was asked for: {edit}
            Give each score a number from 0 to 25, please."""
            """#,
            #"""
            p = """Reply with JSON such as {{ "score": [1, 2], "why": {{}} }} and nothing else.
            What was asked for: {instruction}
            Give each score a number from 0 to 25, please.""".format(instruction=i)
            """#,
            #"""
            p = r"""Reply with JSON such as { "score": [1, 2], "why": {} } and nothing else.
            What was asked for: {instruction}
            Give each score a number from 0 to 25, please."""
            """#,
        ] {
            var finder = TemplateFinder(digests(["ED-POINT-IF": text]))
            finder.look(through: Array(source.utf8), named: "a.py")
            #expect(finder.found["ED-POINT-IF"]?.text == text, "\(source)")
        }
    }

    @Test("any bytes are read without a trap", arguments: 0..<10)
    func anyBytes(round: Int) {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("Python fuzz: seed \(seed)")
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let pieces = [
            "f'", "'", "\"", "\"\"\"", "'''", "{", "}", "{{", "}}", "\\", "\\x", "\\u12", "\\U",
            "\\777", "\\N{", "\n", "#", "+", "(", ")", "rb'", "a", "{a[", ":", "!r", "\u{e9}", "\0",
        ]
        for _ in 0..<200 {
            let text = (0..<random(40)).map { _ in pieces[random(pieces.count)] }.joined()
            var finder = TemplateFinder(digests(["IG-PAIR-QWEN": "x"]))
            finder.look(through: Array(text.utf8), named: "a.py")
        }
        var finder = TemplateFinder(digests(["IG-PAIR-QWEN": "x"]))
        finder.look(through: (0..<5000).map { _ in UInt8(random(256)) }, named: "a.py")
    }

    // MARK: - Packs

    @Test("a verified checkout gives a pack the daemon reads, in this project's placeholders")
    func pack() throws {
        let texts = texts(of: .think)
        for (id, text) in texts { try write("\(id).py", "q = '''\(text)'''\n") }
        let found = try PackImport(
            directory: directory.path,
            line: .think,
            digests: digests(texts)
        )
        #expect(
            found.outcomes.allSatisfy { if case .verified = $0.outcome { true } else { false } }
        )
        let pack = try PromptPack(json: try #require(found.pack).utf8)
        #expect(pack.name == "unifiedreward-think")
        let template = try pack.template(.imageUnderstanding, .pairRank)
        #expect(template.id == "TH-IU")
        #expect(template.text.source.contains("{question} {first} {second}"))
        #expect(template.answerPrefix == "<answer>")
    }

    @Test("every line's templates make a pack that can be used", arguments: ModelLine.allCases)
    func lines(line: ModelLine) throws {
        let texts = texts(of: line)
        for (id, text) in texts { try write("\(id).py", "q = '''\(text)'''\n") }
        let found = try PackImport(
            directory: directory.path,
            line: line,
            digests: digests(texts)
        )
        let pack = try PromptPack(json: try #require(found.pack).utf8)
        #expect(pack.templates.map(\.id) == line.templates)
        #expect(pack.decoding.penalty == .checkpoint)
        #expect((pack.decoding.scope == .answer) == [.llava, .think].contains(line))
        // As the scripts of the line show videos.
        let display: ClipDisplay = [.second, .think3, .flex].contains(line) ? .pictures : .videos
        let clips = pack.templates.filter { $0.task.medium == .video }.map(\.clips)
        #expect(clips.allSatisfy { $0 == display } && clips.isEmpty == (line == .edit))
        for template in pack.templates {
            let view = JudgingOptions().view(of: template, in: pack)
            let shown = Self.view(line, template.id)
            #expect(view.preparation.steps == shown.steps, "\(line) \(template.id)")
            let isShort = ["IG-PAIR-QWEN", "IG-POINT-5", "TH-IG"].contains(template.id)
            let isVideo = template.task.medium == .video
            let longest =
                [.qwen, .thinkQwen].contains(line) ? isShort ? 512 : isVideo ? 1024 : 4096 : 4096
            #expect(template.longestAnswer == longest, "\(line) \(template.id)")
            guard template.task.medium == .video else { continue }
            #expect(view.sampler == shown.sampler, "\(line) \(template.id)")
        }
    }

    /// What the scripts of a line do with the media of a template, as their table of facts has it.
    private static func view(
        _ line: ModelLine,
        _ template: String
    ) -> (sampler: FrameSampler, steps: [PicturePreparation.Step]) {
        let jpeg = PicturePreparation.Step.jpeg(quality: 95)
        let usual = FrameSampler(rule: .linspace, count: 8)
        switch line {
        case .llava:
            let isSquashed = ["IG-POINT-10", "IG-POINT-SGL"].contains(template)
            return (usual, isSquashed ? [.resize(width: 512, height: 512)] : [])
        case .think: return (usual, [])
        case .qwen, .thinkQwen: return (FrameSampler(rule: .fps, count: 768), [.fit])
        case .second:
            switch template {
            case "VG-PAIRSCORE-20": return (FrameSampler(rule: .segments, count: 8), [jpeg, jpeg])
            case "VG-APS-20": return (FrameSampler(rule: .segments, count: 16), [jpeg, jpeg])
            default: return (usual, [jpeg])
            }
        case .think3, .edit, .flex: return (usual, [jpeg])
        }
    }

    @Test("a template that differs is refused by its name, one that is not there is missing")
    func differs() throws {
        var texts = texts(of: .flex)
        try write("scripts/FX-IG.py", "q = '''\(texts["FX-IG"] ?? "") changed'''\n")
        let found = try PackImport(
            directory: directory.path,
            line: .flex,
            digests: digests(texts, file: { "scripts/\($0).py" })
        )
        #expect(found.pack == nil)
        #expect(found.hasDifferences)
        #expect(found.outcomes.map(\.id) == ["FX-IG", "FX-VG"])
        #expect(
            found.outcomes.map(\.outcome) == [
                .differs(files: ["scripts/FX-IG.py"]), .missing(files: ["scripts/FX-VG.py"]),
            ]
        )
        texts = [:]
        #expect(throws: RewardModelingError.self) {
            try PackImport(directory: "/nonexistent", line: .flex, digests: digests(texts))
        }
    }

    @Test("the table that is built in knows every template of every line")
    func builtin() throws {
        let digests = try TemplateDigests.builtin()
        #expect(digests.entries.count == 38)
        let known = Set(digests.entries.map(\.id))
        for line in ModelLine.allCases {
            #expect(line.templates.allSatisfy(known.contains), "\(line)")
        }
        #expect(digests.entries.allSatisfy { $0.byteCount > 500 && !$0.files.isEmpty })
        #expect(digests.prefixes.count == 5)
    }

    // MARK: - Support

    /// Texts with the placeholders of their tasks, all different.
    private func texts(of line: ModelLine) -> [String: String] {
        var texts: [String: String] = [:]
        for id in line.templates {
            let isPair = id.contains("PAIR") || id.hasPrefix("TH")
            let fields: String
            if id.hasPrefix("ED") {
                fields = id == "ED-POINT-Q" ? "" : "{instruction}"
            } else if id.contains("IU") || id.contains("VU") {
                fields = isPair ? "{Query} {R1} {R2}" : "{Query} {Response}"
            } else {
                fields = "{prompt}"
            }
            texts[id] = "The template \(id) of these tests asks about: \(fields)\n" + Self.padding
        }
        return texts
    }

    private static let padding = String(repeating: "Judge with care. ", count: 20)

    private func digests(
        _ texts: [String: String],
        file: (String) -> String = { "\($0).py" }
    ) -> TemplateDigests {
        TemplateDigests(
            entries: texts.map { id, text in
                TemplateDigests.Entry(
                    id: id,
                    digest: SHA256.digest(text.utf8),
                    byteCount: text.utf8.count,
                    files: [file(id)]
                )
            },
            prefixes: ["<image>\n", "<image>\n <image>\n"]
        )
    }

    private func write(_ name: String, _ text: String) throws {
        let place = directory.appending(path: name)
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(text.utf8).write(to: place)
    }
}
