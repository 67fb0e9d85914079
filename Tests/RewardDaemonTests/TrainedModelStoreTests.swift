import Foundation
import Testing

@testable import RewardDaemon

@Suite("The training directory")
struct TrainedModelStoreTests {
    private let root: URL
    private let store: TrainedModelStore

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        store = TrainedModelStore(directory: root.path) { directory in
            guard !directory.contains("broken"),
                FileManager.default.fileExists(atPath: directory + "/config.json")
            else { throw TrainingObstacle("broken") }
        }
    }

    private func remove() { try? FileManager.default.removeItem(at: root) }

    private func provenance(_ job: Int64, digest: String, dataset: String = "/d") -> ModelProvenance
    {
        ModelProvenance(jobID: job, base: "m", dataset: dataset, options: "{}", digest: digest)
    }

    /// Writes a model as a runner would.
    private func write(_ text: String, to directory: String) throws {
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        try text.write(toFile: directory + "/config.json", atomically: true, encoding: .utf8)
    }

    private func content(_ name: String) -> String? {
        try? String(contentsOfFile: "\(root.path)/\(name)/config.json", encoding: .utf8)
    }

    @Test("a model appears whole under its name, and only whole ones are found")
    func publish() throws {
        defer { remove() }
        let place = try store.open(jobID: 7)
        try write("one", to: place.output)
        #expect(store.discover().models.isEmpty)
        try store.publish(
            place,
            name: "a",
            provenance: provenance(7, digest: "01"),
            replacing: false
        )
        store.remove(place)
        try write("x", to: root.path + "/broken")
        try write("x", to: root.path + "/Upper")
        try FileManager.default.createDirectory(
            at: root.appending(path: "empty"),
            withIntermediateDirectories: true
        )
        let found = store.discover()
        #expect(found.models == ["a"] && found.unusable.map(\.name) == ["broken"])
        #expect(content("a") == "one")
        #expect(ModelProvenance.read(directory: root.path + "/a")?.digest == "01")
        #expect(store.jobsWithWork().isEmpty)
    }

    @Test("a name with another digest is refused unless it may be replaced; the same digest stays")
    func names() throws {
        defer { remove() }
        func attempt(_ job: Int64, _ digest: String, replacing: Bool = false) throws {
            let place = try store.open(jobID: job)
            defer { store.remove(place) }
            try write(digest, to: place.output)
            try store.publish(
                place,
                name: "a",
                provenance: provenance(job, digest: digest),
                replacing: replacing
            )
        }
        try attempt(1, "01")
        let error = #expect(throws: TrainingFailure.self) { try attempt(2, "02") }
        #expect(error?.code == "model_exists")
        #expect(content("a") == "01")
        try attempt(3, "01")
        #expect(ModelProvenance.read(directory: root.path + "/a")?.jobID == 1)
        try attempt(4, "04", replacing: true)
        #expect(content("a") == "04")
        // The same job again, after a daemon died between moving and registering its model.
        try attempt(4, "05")
        #expect(content("a") == "05")
        let names = try FileManager.default.contentsOfDirectory(atPath: root.path)
        #expect(Set(names) == ["a", ".work"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: root.path + "/.work") == [])
    }

    @Test("a name that is taken is refused before hours of training, the same request is not")
    func early() throws {
        defer { remove() }
        let place = try store.open(jobID: 1)
        try write("one", to: place.output)
        try store.publish(
            place,
            name: "a",
            provenance: provenance(1, digest: "01"),
            replacing: false
        )
        try store.checkName("b", provenance(2, digest: ""), replacing: false)
        try store.checkName("a", provenance(2, digest: ""), replacing: false)
        try store.checkName("a", provenance(2, digest: "", dataset: "/e"), replacing: true)
        #expect(throws: TrainingFailure.self) {
            try store.checkName("a", provenance(2, digest: "", dataset: "/e"), replacing: false)
        }
    }

    @Test("a model that no engine can use is refused and does not appear")
    func unusable() throws {
        defer { remove() }
        let place = try store.open(jobID: 1)
        let error = #expect(throws: TrainingFailure.self) {
            try store.publish(
                place,
                name: "a",
                provenance: provenance(1, digest: "01"),
                replacing: false
            )
        }
        #expect(error?.code == "model_unusable")
        #expect(store.discover().models.isEmpty)
    }

    @Test("a job is worked on once at a time, its state stays until it is removed")
    func work() throws {
        defer { remove() }
        var place: TrainedModelStore.Workplace? = try store.open(jobID: 7)
        #expect(throws: TrainingObstacle.self) { try store.open(jobID: 7) }
        try write("half", to: try #require(place).output)
        try Data("step 5".utf8).write(to: URL(filePath: try #require(place).state + "/state"))
        place = nil
        #expect(store.jobsWithWork() == [7])
        let again = try store.open(jobID: 7)
        #expect(FileManager.default.fileExists(atPath: again.state + "/state"))
        #expect(!FileManager.default.fileExists(atPath: again.output))
        store.remove(again)
        #expect(store.jobsWithWork().isEmpty)
    }
}
