/// What curl is told, as the text of its configuration file (`curl -K`): nothing stands on its command line,
/// where every user of the machine could read it.
///
/// The body comes by standard input. Redirects are not followed, no proxy is asked, certificates are verified.
struct CurlConfiguration {
    let request: HTTPRequest

    /// The lines. Values are quoted as curl unquotes them.
    var text: String {
        var lines = [
            line("url", request.url),
            // Brackets and braces in a URL are themselves.
            "globoff",
            // The head goes before the body.
            "include", "silent", "show-error", "http1.1",
            line("proto", "=http,https"), line("noproxy", "*"),
            line("max-time", seconds), line("connect-timeout", "10"),
            line("user-agent", "rewardd"), line("header", "Accept: application/json"),
        ]
        if request.body != nil {
            // Without the empty field curl waits up to a second for leave to send a long body.
            lines += [
                line("header", "Content-Type: application/json"), line("header", "Expect:"),
                line("data-binary", "@-"),
            ]
        }
        if let key = request.key { lines.append(line("header", "Authorization: Bearer \(key)")) }
        if let file = request.authorityFile { lines.append(line("cacert", file)) }
        return lines.joined(separator: "\n") + "\n"
    }

    private var seconds: String {
        "\(max(request.timeout / .seconds(1), 0.001))"
    }

    private func line(_ option: String, _ value: String) -> String {
        var quoted = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": quoted += "\\\\"
            case "\"": quoted += "\\\""
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return "\(option) = \"\(quoted)\""
    }
}
