/// Why a server gave no answer to a request that it might answer another time: nothing about the item. The
/// shard is tried again later.
package struct RemoteFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong.
    package enum Kind: String, Sendable {
        /// No connection: nothing was asked.
        case unreachable
        /// A connection that broke off before the answer.
        case interrupted
        /// No answer in time.
        case timeout
        /// It said to come later: 408, 425, 429 or 503.
        case busy
        /// It failed: another 5xx.
        case serverError
        /// It will not, whatever is asked: wrong address, key, model or certificate.
        case refused
        /// It answered with what is no such answer.
        case malformed
        /// This machine cannot ask: no curl, no key file.
        case host
    }

    /// What went wrong.
    package let kind: Kind
    /// The whole sentence: subject, expected, got, remedy.
    package let description: String
    /// How long the server asked to be left alone.
    package let retryAfter: Duration?

    /// A fault with its sentence.
    package init(_ kind: Kind, _ sentence: String, retryAfter: Duration? = nil) {
        self.kind = kind
        description = sentence
        self.retryAfter = retryAfter
    }

    /// Whether the server took no question, which then cannot be the reason: it is down, or turns away whatever
    /// it is asked. One that fails over a question may fail over it again.
    package var isOutage: Bool { kind == .unreachable || kind == .busy }

    /// Whether it may be the question that the server fails over: it took one, and gave no answer or none that
    /// can be read.
    package var mayBeTheQuestion: Bool {
        switch kind {
        case .interrupted, .timeout, .serverError, .malformed: true
        case .unreachable, .busy, .refused, .host: false
        }
    }

    /// Whether the same request may be answered in a moment.
    var isPassing: Bool {
        switch kind {
        case .unreachable, .interrupted, .timeout, .busy, .serverError: true
        case .refused, .malformed, .host: false
        }
    }
}

/// Why a server will never answer this question: it fails the item by name.
package struct RemoteRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// The name stored with the item: `remote_refused` (the server said no to this request) or
    /// `remote_choices` (the probabilities of the answers cannot be had).
    package let code: String
    /// The whole sentence.
    package let message: String

    /// A refusal with its sentence.
    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
