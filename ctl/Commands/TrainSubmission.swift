import ArgumentParsing
import FoundationEssentials
import JSONReading
import Postgres

/// The part of `rewardctl submit` that is about train jobs.
enum TrainSubmission {
    /// Submits a train job. The dataset is on the daemon's machine and is not read here; only its
    /// path is made absolute.
    static func run(_ context: CommandContext) throws -> ExitCode {
        let arguments = context.arguments
        if arguments.flag("upload-media") {
            throw arguments.usageError(
                "The option '--upload-media' does not go with the kind 'train'."
            )
        }
        let name = try arguments.requiredText("name")
        var request = try SubmitCommand.request(
            arguments,
            task: nil,
            model: arguments.requiredText("base"),
            options: JobOptions.object(arguments.texts("option"), lists: ["tasks"])
        )
        let item = JSONNode.object([
            "dataset": .string(try dataset(arguments)), "name": .string(name),
        ])
        request.items = Array("[\(item.json)]".utf8)
        let summary = "train \(name) from \(request.model), queue \(request.queue)"
        do {
            return try SubmitCommand.send(request, summary, context.connect(), context)
        } catch let error as PostgresError where !error.isConnectionLost {
            throw SubmitCommand.renamed(
                FailureTable.failure(error),
                [
                    "model: ": "--base: ", "items[0].dataset: ": "--dataset: ",
                    "items[0].name: ": "--name: ",
                ]
            )
        }
    }

    private static func dataset(_ arguments: ParsedArguments) throws -> String {
        let path = try arguments.requiredText("dataset")
        guard !path.isEmpty, path != "-" else {
            throw arguments.invalid("dataset", "a file on the daemon's machine")
        }
        let rules = MediaPaths(directory: FileManager.default.currentDirectoryPath, task: "")
        do throws(MediaPathError) {
            return try rules.absolute(path, at: "--dataset")
        } catch {
            throw CommandFailure(.usage, "\(error.message).")
        }
    }
}
