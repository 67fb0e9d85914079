import RemoteInference
import Testing

@Suite("The URL of a server")
struct ServerURLTests {
    @Test(
        "is one of http or https with a host, written in one way",
        arguments: [
            ("http://gpu-1:8000/v1", "http://gpu-1:8000/v1"),
            ("http://gpu-1:8000/v1/", "http://gpu-1:8000/v1"),
            ("HTTPS://GPU-1.example.org/a/v1//", "https://gpu-1.example.org/a/v1"),
            ("http://127.0.0.1", "http://127.0.0.1"),
            ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
            ("http://[fe80::1]/V1", "http://[fe80::1]/V1"),
        ]
    )
    func good(text: String, written: String) throws {
        #expect(try ServerURL(text).description == written)
    }

    @Test(
        "is refused in any other form",
        arguments: [
            "", "gpu-1:8000", "ftp://gpu-1/v1", "http://", "http:///v1", "http://host:0/v1",
            "http://host:65536/v1", "http://host:80a/v1", "http://ho st/v1", "http://host/v1?x=1",
            "http://host/v1#x", "http://host/\"", "http://host/v1\nurl = http://other",
            "http://[::1/v1", "http://[]/v1", "http://[::g]/v1", "http://hóst/v1",
            "http://host/" + String(repeating: "a", count: 1000), "file:///etc/passwd",
        ]
    )
    func bad(text: String) {
        #expect(throws: ServerURL.Problem.self) { try ServerURL(text) }
    }

    @Test("with a password is refused without repeating it")
    func password() {
        let problem = #expect(throws: ServerURL.Problem.self) {
            try ServerURL("http://user:hunter2@host/v1")
        }
        #expect(problem.map { "\($0)".contains("hunter2") } == false)
        #expect(problem?.expected.contains("api-key-file") == true)
    }
}
