import Testing

@Suite("rewardctl errors without a database")
struct UsageErrorTests {
    @Test("an unknown command is answered with the nearest one")
    func unknownCommand() throws {
        let outcome = try RewardctlProcess.run(["sumbit"])
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(
            outcome.messages == """
                Error: Unknown subcommand 'sumbit'. Did you mean 'submit'?
                Usage: rewardctl [--database-url <url>] <subcommand>
                  See 'rewardctl --help' for more information.

                """
        )
    }

    @Test(
        "a wrong command line ends with 2 and one sentence",
        arguments: [
            ([], "Missing expected subcommand."),
            (["submit"], "Missing expected argument '<kind>'."),
            (["submit", "point_score"], "Missing expected option '--task <task>'."),
            (["submit", "train"], "Missing expected option '--dataset <file>'."),
            (
                [
                    "submit", "train", "--dataset", "d", "--base", "m", "--name", "n", "--task",
                    "image_generation",
                ],
                "The option '--task' does not go with the kind 'train'."
            ),
            (
                [
                    "submit", "point_score", "--task", "image_generation", "--model", "m",
                    "--items", "-", "--name", "n",
                ], "The option '--name' does not go with a kind that judges."
            ),
            (
                ["submit", "train", "--dataset", "-", "--base", "m", "--name", "n"],
                "The value '-' is invalid for '--dataset <file>': expected a file"
            ),
            (["cancel", "x"], "The value 'x' is invalid for '<id>': expected a whole number"),
            (["cancel", "-1"], "The value '-1' is invalid for '<id>'"),
            (
                ["get", "jobs", "--state", "runing"],
                "The value 'runing' is invalid for '--state <state>'. Did you mean 'running'?"
            ),
            (
                [
                    "submit", "point_score", "--task", "image_generation", "--model", "m",
                    "--items", "-", "--at", "02:00", "--in", "2h",
                ], "The options '--at' and '--in' exclude each other."
            ),
            (
                [
                    "submit", "point_score", "--task", "image_generation", "--model", "m",
                    "--items", "-", "--at", "2026-02-30T02:00",
                ], "The value '2026-02-30T02:00' is invalid for '--at <time>': expected a time"
            ),
            (
                [
                    "submit", "point_score", "--task", "image_generation", "--model", "m",
                    "--items", "-", "--option", "reuse",
                ], "The value 'reuse' is invalid for '--option <name=value>'"
            ),
        ]
    )
    func usage(line: [String], sentence: String) throws {
        let outcome = try RewardctlProcess.run(line)
        #expect(outcome.status == 2)
        #expect(outcome.messages.hasPrefix("Error: \(sentence)"), "\(outcome.messages)")
        #expect(outcome.output.isEmpty)
    }

    @Test("a password on the command line is refused and not repeated")
    func passwordOnCommandLine() throws {
        for url in [
            "postgres://u:hush%21secret@h/db", "postgresql://h/db?password=hushsecret",
            "host=h password=hushsecret", "postgresql://h/db?pass%77ord=hushsecret",
        ] {
            let outcome = try RewardctlProcess.run(["get", "jobs", "--database-url", url])
            #expect(outcome.status == 2, "\(url)")
            #expect(outcome.messages.contains("PGPASSWORD"))
            #expect(outcome.messages.contains("DATABASE_URL"))
            #expect(!outcome.messages.contains("secret"))
        }
    }

    @Test("a password in DATABASE_URL is used and never shown")
    func passwordInEnvironment() throws {
        let socket = "/tmp/rewardctl-no-such-directory"
        for url in [
            "postgresql://u:hushsecret@/db?host=\(socket)", "postgres://u:hush/secret@h:5432/db",
            "postgres://u:hush?secret@h:x/db",
        ] {
            let outcome = try RewardctlProcess.run(["get", "jobs"], url: url)
            #expect(outcome.status == 5 || outcome.status == 2, "\(url)")
            #expect(outcome.messages.hasPrefix("Error: "))
            #expect(!outcome.messages.contains("hush"), "\(outcome.messages)")
        }
    }

    @Test("an unreachable database is named, with exit code 5")
    func unreachable() throws {
        let outcome = try RewardctlProcess.run(
            ["get", "queues"],
            url: "postgresql:///rewards?host=/tmp/rewardctl-no-such-directory&user=someone"
        )
        #expect(outcome.status == 5)
        #expect(
            outcome.messages.hasPrefix(
                "Error: cannot connect to PostgreSQL at /tmp/rewardctl-no-such-directory:5432/rewards as someone: "
            ),
            "\(outcome.messages)"
        )
    }

    @Test("the PG* variables are used when there is no URL")
    func libpqVariables() throws {
        let outcome = try RewardctlProcess.run(
            ["get", "queues"],
            environment: [
                "PGHOST": "/tmp/rewardctl-no-such-directory", "PGUSER": "pat", "PGDATABASE": "db7",
            ]
        )
        #expect(outcome.status == 5)
        #expect(outcome.messages.contains("db7 as pat"), "\(outcome.messages)")
    }

    @Test("a missing items file is not found")
    func missingFile() throws {
        let outcome = try RewardctlProcess.run([
            "submit", "point_score", "--task", "image_generation", "--model", "m", "--items",
            "/nonexistent.jsonl",
        ])
        #expect(outcome.status == 3)
        #expect(
            outcome.messages
                == "Error: cannot read '/nonexistent.jsonl': No such file or directory.\n"
        )
    }
}
