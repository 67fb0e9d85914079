/// One request, as the transport takes it.
struct HTTPRequest: Sendable {
    /// The whole address.
    var url: String
    /// Makes the JSON document to post, on the request's thread: pictures take computing. Nil to get.
    var body: (@Sendable () -> [UInt8])?
    /// Sent as a bearer token, and shown nowhere.
    var key: String?
    /// Certificates that are trusted in place of the system's.
    var authorityFile: String?
    /// From the start to the end of the answer.
    var timeout: Duration
    /// Bytes of the answer, its head included; one more ends it.
    var answerBytes = 8 << 20
}
