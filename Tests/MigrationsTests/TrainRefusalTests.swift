import Postgres
import TestSupport
import Testing

/// What enqueue does not take of clips and of train jobs. The cases share a database: none of them
/// may store anything.
@Suite("enqueue with wrong clips and train jobs")
struct TrainRefusalTests {
    private static let database = Result { try TemporaryDatabase.migrated() }

    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture(database: Self.database.get())
    }

    private static let paths = #"a path, {"path": …} or {"media": …}"#
    private static let clip =
        #"a video: a path, {"path": …}, {"media": …} or {"frames": [2 to 64 pictures]}"#
    private static let digest = String(repeating: "0", count: 64)

    static let clips: [(item: String, message: String)] = [
        (#"{"caption":"c","video":""}"#, #"items[0].video: expected \#(clip), got """#),
        (
            #"{"caption":"c","video":["a.mp4"]}"#,
            "items[0].video: expected \(clip), got an array of 1"
        ),
        (
            #"{"caption":"c","video":{"path":"a.mp4","fps":2}}"#,
            #"items[0].video: expected \#(clip), got {"fps": 2, "path": "a.mp4"}"#
        ),
        (
            #"{"caption":"c","video":{"media":"\#(digest)"}}"#,
            """
            items[0].video: expected media uploaded by "postgres", got unknown digest \(digest)
            """
        ),
        (#"{"caption":"c","image":"a"}"#, "items[0].video: expected \(clip), got nothing"),
        (
            #"{"caption":"c","video":{"frames":["a"]}}"#,
            "items[0].video.frames: expected an array of 2 to 64 frames, got an array of 1"
        ),
        (
            #"{"caption":"c","video":{"frames":["a","b",{"frames":["c","d"]}]}}"#,
            #"items[0].video.frames[2]: expected \#(paths), got {"frames": ["c", "d"]}"#
        ),
        (
            #"{"caption":"c","video":{"frames":["a","b"],"fps":2}}"#,
            #"items[0].video: expected \#(clip), got {"fps": 2, "frames": ["a", "b"]}"#
        ),
        (
            #"{"caption":"c","video":{"frames":["a",{"media":"\#(digest)"}]}}"#,
            """
            items[0].video: expected media uploaded by "postgres", got unknown digest \(digest)
            """
        ),
    ]

    @Test("a clip is refused with the path of what is wrong in it", arguments: clips)
    func wrongClips(_ refusal: (item: String, message: String)) throws {
        let items = "[\(refusal.item)]"
        try expect(
            refusal.message,
            """
            SELECT rewardd.enqueue('point_score', \(items)::jsonb, 'video_generation', 'm')
            """
        )
    }

    @Test("so is a clip among candidates, and one of more than 64 frames")
    func candidates() throws {
        let frames = (0..<65).map { "\"\($0)\"" }.joined(separator: ",")
        for (candidates, message) in [
            (
                #"[{"frames":["a","b"]},{"frames":["a",7]}]"#,
                "items[0].candidates[1].frames[1]: expected \(Self.paths), got 7"
            ),
            (
                #"[{"frames":["a","b"]},7]"#,
                #"items[0].candidates[1]: expected \#(Self.clip), got 7"#
            ),
            (
                #"[{"frames":["a","b"]},{"frames":[\#(frames)]}]"#,
                "items[0].candidates[1].frames: expected an array of 2 to 64 frames, got an array of 65"
            ),
        ] {
            let items = #"[{"caption":"c","candidates":\#(candidates)}]"#
            try expect(
                message,
                """
                SELECT rewardd.enqueue('build_pairs', \(items)::jsonb, 'video_generation', 'm')
                """
            )
        }
    }

    @Test("frames in the database are taken from their uploader only")
    func storedFrames() throws {
        let queue = try QueueFixture()
        let alice = try queue.login("rewardd_submit")
        let bob = try queue.login("rewardd_submit")
        let digest = try alice.text("SELECT rewardd.put_media('\\x0102') AS value")
        let items = #"""
            [{"caption":"c","candidates":[{"frames":["a","b"]},
                {"frames":["a",{"media":"\#(digest)"}]}]}]
            """#
        func submit(_ user: QueueFixture) throws {
            try user.connection.execute(
                """
                SELECT rewardd.enqueue('build_pairs', \(items)::jsonb, 'video_generation', 'm')
                """
            )
        }
        try submit(alice)
        let error = try bob.refusal { try submit(bob) }
        #expect(error?.message.hasPrefix("items[0].candidates: expected media uploaded by") == true)
    }

    static let items: [(items: String, message: String)] = [
        (
            #"[{"dataset":"/a","name":"x"},{"dataset":"/b","name":"y"}]"#,
            "items: expected one item for a train job, got 2"
        ),
        (
            #"[{"dataset":"a.jsonl","name":"x"}]"#,
            #"items[0].dataset: expected an absolute path of at most 4096 characters, got "a.jsonl""#
        ),
        (
            #"[{"dataset":"/a","name":"../x"}]"#,
            """
            items[0].name: expected a name of 1 to 64 characters a-z, 0-9, ".", "_" and "-" that \
            starts with a letter, got "../x"
            """
        ),
        (
            #"[{"dataset":"/a","name":"x","model":"y"}]"#,
            "items[0].model: expected one of the fields dataset, name and id, got an unknown one"
        ),
    ]

    @Test("the item of a train job is checked like any other", arguments: items)
    func trainItems(_ refusal: (items: String, message: String)) throws {
        try expect(
            refusal.message,
            "SELECT rewardd.enqueue('train', \(refusal.items)::jsonb, NULL, 'm')"
        )
    }

    static let options: [(options: String, message: String)] = [
        ("[]", "options: expected an object, got an array of 0"),
        (
            #"{"orders":"both"}"#,
            "options.orders: expected an option of a train job, got an unknown one"
        ),
        (#"{"epochs":0}"#, "options.epochs: expected a number above 0 and at most 1000000, got 0"),
        (
            #"{"learning_rate":"1e-4"}"#,
            #"options.learning_rate: expected a number above 0 and at most 1000000, got "1e-4""#
        ),
        (
            #"{"max_steps":0}"#,
            "options.max_steps: expected a whole number from 1 to 1000000000, got 0"
        ),
        (
            #"{"batch_size":4097}"#,
            "options.batch_size: expected a whole number from 1 to 4096, got 4097"
        ),
        (
            #"{"weight_decay":-0.1}"#,
            "options.weight_decay: expected a number from 0 to 1000000, got -0.1"
        ),
        (#"{"warmup_ratio":1.5}"#, "options.warmup_ratio: expected a number from 0 to 1, got 1.5"),
        (
            #"{"validation_fraction":0.6}"#,
            "options.validation_fraction: expected a number from 0 to 0.5, got 0.6"
        ),
        (
            #"{"accumulation":1025}"#,
            "options.accumulation: expected a whole number from 1 to 1024, got 1025"
        ),
        (
            #"{"seed":-1}"#,
            "options.seed: expected a whole number from 0 to 9007199254740991, got -1"
        ),
        (
            #"{"vision_learning_rate_ratio":2}"#,
            "options.vision_learning_rate_ratio: expected a number from 0 to 1, got 2"
        ),
        (
            #"{"loss_mean":"all"}"#,
            #"options.loss_mean: expected "tokens" or "answers", got "all""#
        ),
        (#"{"method":"adapter"}"#, #"options.method: expected "full" or "lora", got "adapter""#),
        (#"{"precision":"f16"}"#, #"options.precision: expected "bf16" or "f32", got "f16""#),
        (#"{"lora_rank":8}"#, #"options.lora_rank: expected method "lora" with it, got "full""#),
        (#"{"replace":1}"#, "options.replace: expected true or false, got 1"),
        (#"{"tasks":[]}"#, "options.tasks: expected an array of tasks, got an array of 0"),
        (
            #"{"tasks":["image_generation","images"]}"#,
            """
            options.tasks[1]: expected "image_generation" or "image_understanding" or \
            "video_generation" or "video_understanding" or "image_editing", got "images"
            """
        ),
        (
            #"{"tasks":["image_generation","image_generation"]}"#,
            "options.tasks: expected each task once, got an array of 2"
        ),
    ]

    @Test("options of a train job are checked by their path", arguments: options)
    func trainOptions(_ refusal: (options: String, message: String)) throws {
        try expect(
            refusal.message,
            """
            SELECT rewardd.enqueue('train', '[{"dataset":"/a","name":"x"}]', NULL, 'm',
                \(refusal.options)::jsonb)
            """
        )
    }

    @Test("a task with a train job, and a model named like a label, are refused")
    func request() throws {
        try expect(
            #"task: expected NULL for a train job, got "image_generation""#,
            """
            SELECT rewardd.enqueue('train', '[{"dataset":"/a","name":"x"}]', 'image_generation', 'm')
            """
        )
        try expect(
            #"model: expected a name that does not start with "train/", got "train/m""#,
            """
            SELECT rewardd.enqueue('point_score', '[{"caption":"a","image":"b"}]',
                'image_generation', 'train/m')
            """
        )
    }

    @Test("every option has a good value")
    func accepted() throws {
        let queue = try QueueFixture()
        let job = try queue.enqueueTraining(
            options: """
                {"epochs": 0.5, "max_steps": 10, "batch_size": 8, "learning_rate": 5e-5,
                 "weight_decay": 0, "warmup_ratio": 0, "final_learning_rate_ratio": 1,
                 "clip_norm": 0.5, "loss_mean": "answers",
                 "vision_learning_rate_ratio": 0, "accumulation": 2, "seed": 7, "validation_fraction": 0,
                 "validate_every": 5, "checkpoint_every": 5, "method": "lora", "lora_rank": 4,
                 "lora_alpha": 8, "tasks": ["video_generation"], "precision": "f32",
                 "replace": true, "max_attempts": 3}
                """
        )
        #expect(try queue.status(job) == "ready 1 0 0")
    }

    private func expect(_ message: String, _ statement: Query) throws {
        let error = try queue.refusal { try queue.connection.execute(statement) }
        #expect(error?.message == message)
        #expect(error?.sqlState == .invalidParameterValue)
        #expect(error?.hint?.isEmpty == false)
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.job") == 0)
    }
}
