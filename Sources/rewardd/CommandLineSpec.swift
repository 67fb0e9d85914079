import ArgumentParsing
import RewardDaemon

/// What `rewardd` accepts on its command line. The options are the configuration keys.
enum CommandLineSpec {
    static let rewardd = CommandSpec(
        "rewardd",
        overview: "Run reward-model jobs from PostgreSQL.",
        discussion: """
            Claims shards of jobs, judges their items with vision-language reward models and commits \
            every judgement as it ends. Several daemons may share one database. It opens no \
            listening socket; jobs are submitted with rewardctl or with SQL.
            """,
        groups: [CommandGroup("COMMANDS", [run, checkConfig, PromptsCommand.spec])],
        footnote: exitCodes
    )

    private static let run = CommandSpec(
        "run",
        overview: "Work the queue until SIGTERM.",
        discussion: """
            The first SIGTERM or SIGINT drains: items that are being judged end (up to the grace \
            period), the rest is given back. A second one does not wait.
            """,
        options: settings,
        examples: [
            "rewardd run --config /etc/rewardd/rewardd.conf",
            "rewardd run --models scenes=/srv/models/scenes --media-roots /srv/pictures",
        ],
        footnote: precedence + "\n" + exitCodes
    )

    private static let checkConfig = CommandSpec(
        "check-config",
        overview: "Print every setting and its origin, check models and decoders, exit.",
        discussion:
            "For deploy scripts; 'rewardd --check-config' does the same. Touches no database.",
        options: settings,
        footnote: precedence + "\n" + exitCodes
    )

    private static let settings: [OptionSpec] =
        [
            .option(
                "config",
                value: "file",
                "Configuration file: key = value lines.",
                environment: "REWARDD_CONFIG"
            )
        ]
        + ConfigurationKey.allCases.map { key in
            // Defaults and environment variables are merged by DaemonConfiguration, so that it knows
            // the origin of each value; here they are only shown.
            .option(
                key.option,
                value: key.valueName,
                "\(key.sentence) [\(key.environmentVariable)]",
                defaultText: key.defaultValue.isEmpty ? nil : key.defaultValue
            )
        }

    private static let precedence =
        "Precedence: option, then environment variable, then configuration file, then default."
    private static let exitCodes =
        "Exit codes: 0 stopped as asked, 64 usage, 69 a decoder is missing, 70 a bug, "
        + "78 configuration or schema."
}
