import Accuracy
import Foundation
import Testing

@Suite("Names of models")
struct ModelLocatorTests {
    @Test("are looked up in the variable, the installation and the checkout, in this order")
    func order() {
        let locator = ModelLocator(
            executable: "/home/a/rewardd/.build/release/rewardbench",
            environment: ["REWARDD_MODELS": "/srv/models"]
        )
        #expect(
            locator.folders == [
                "/srv/models", "/home/a/rewardd/.build/share/rewardd/models",
                "/home/a/rewardd/.build/release/deploy/models",
                "/home/a/rewardd/.build/deploy/models", "/home/a/rewardd/deploy/models",
                "/home/a/deploy/models", "/home/deploy/models", "/deploy/models",
            ]
        )
    }

    @Test("are looked up without a variable that is empty")
    func emptyVariable() {
        let locator = ModelLocator(
            executable: "/usr/bin/rewardbench",
            environment: ["REWARDD_MODELS": ""]
        )
        #expect(locator.folders.first == "/usr/share/rewardd/models")
    }

    @Test("give the first folder that has the model")
    func first() throws {
        let root = try Self.models(["one/empty/readme", "two/scenes/config.json"])
        defer { try? FileManager.default.removeItem(atPath: root) }
        let locator = ModelLocator(folders: ["\(root)/none", "\(root)/one", "\(root)/two"])
        #expect(try locator.directory(of: "scenes") == "\(root)/two/scenes")
        // A directory without config.json is no model.
        #expect(throws: AccuracyError.self) { try locator.directory(of: "empty") }
    }

    @Test("with a slash are directories")
    func directory() throws {
        let root = try Self.models(["one/scenes/config.json"])
        defer { try? FileManager.default.removeItem(atPath: root) }
        let locator = ModelLocator(folders: ["\(root)/one"])
        #expect(try locator.directory(of: "\(root)/one/scenes") == "\(root)/one/scenes")
        #expect(throws: AccuracyError.modelNotFound(name: "./x", looked: ["./x/config.json"])) {
            try locator.directory(of: "./x")
        }
    }

    @Test("that are found nowhere are answered with every place looked in")
    func nowhere() {
        let locator = ModelLocator(folders: ["/a", "/b"])
        let error = #expect(throws: AccuracyError.self) { try locator.directory(of: "scenes") }
        #expect(
            error?.description
                == "model \"scenes\": expected a directory with a config.json, found none of: "
                + "\"/a/scenes/config.json\", \"/b/scenes/config.json\", \"scenes/config.json\". "
                + "Give a directory, or set REWARDD_MODELS to the folder that holds it."
        )
        #expect(throws: AccuracyError.self) { try locator.directory(of: "") }
    }

    /// A folder with these files.
    private static func models(_ files: [String]) throws -> String {
        let root = FileManager.default.temporaryDirectory.path + "/models-\(UUID().uuidString)"
        for file in files {
            let url = URL(filePath: "\(root)/\(file)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data().write(to: url)
        }
        return root
    }
}
