/// How a server is asked: what `engine.NAME.…` settings say.
package struct RemoteEngineOptions: Sendable, Equatable {
    /// Whether a server does something that not all do.
    package enum Ability: String, Sendable, CaseIterable {
        /// Found out by counting tokens: ``ServerProbe``.
        case auto
        /// It does; nothing is tried.
        case yes
        /// It does not: what needs it is refused.
        case no
    }

    /// The name that jobs use.
    package var name: String
    /// Where it answers.
    package var url: ServerURL
    /// The name that the server knows the model by; nil for the only one it lists.
    package var servedModel: String?
    /// What the operator calls these weights on these servers; nil when nobody vouches for them.
    package var revision: String?
    /// Most requests in flight.
    package var concurrency: Int
    /// For one try of one request, from its start to the end of the answer.
    package var timeout: Duration
    /// How often a request is tried again, when that may help.
    package var retries: Int
    /// A file whose one line is the key; read anew for each request. Nil for servers that ask for none.
    package var apiKeyFile: String?
    /// Certificates (PEM) that are trusted in place of the system's.
    package var authorityFile: String?
    /// A directory with what was published beside the weights: `prompt_pack.json`, `generation_config.json`. Nil for
    /// the built-in prompts and no penalty for repetition.
    package var files: String?
    /// Whether it goes on with a last message of the assistant's, which choices need.
    package var prefill: Ability
    /// Whether it shows the model pictures.
    package var pictures: Ability

    /// A server with the defaults of everything else.
    package init(
        name: String,
        url: ServerURL,
        servedModel: String? = nil,
        revision: String? = nil,
        concurrency: Int = 16,
        timeout: Duration = .seconds(120),
        retries: Int = 2,
        apiKeyFile: String? = nil,
        authorityFile: String? = nil,
        files: String? = nil,
        prefill: Ability = .auto,
        pictures: Ability = .auto
    ) {
        self.name = name
        self.url = url
        self.servedModel = servedModel
        self.revision = revision
        self.concurrency = concurrency
        self.timeout = timeout
        self.retries = retries
        self.apiKeyFile = apiKeyFile
        self.authorityFile = authorityFile
        self.files = files
        self.prefill = prefill
        self.pictures = pictures
    }
}
