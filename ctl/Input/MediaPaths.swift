import JSONReading

/// Which members of an item name media files, and how their paths are made absolute.
///
/// The daemon opens the files, with a working directory of its own, so a path that is relative to
/// the items file must be completed before it leaves this machine.
struct MediaPaths: Sendable {
    /// The directory that relative paths start from, itself absolute.
    let directory: String
    /// Whether `first`, `second` and `candidates` are media; in understanding tasks they are texts.
    let candidatesAreMedia: Bool

    /// Rules for the items of one job.
    init(directory: String, task: String) {
        self.directory = directory
        self.candidatesAreMedia = !task.hasSuffix("_understanding")
    }

    /// The item with absolute media paths.
    ///
    /// - Throws: `MediaPathError` for a path that cannot be one, such as a URL.
    func resolve(_ item: JSONNode) throws(MediaPathError) -> JSONNode {
        try mapMedia(item) { value, place throws(MediaPathError) in
            switch value {
            case .string(let path):
                return .string(try absolute(path, at: place))
            case .object(var members):
                for index in members.indices where members[index].name == "path" {
                    guard let path = members[index].value.text else { continue }
                    members[index].value = .string(try absolute(path, at: "\(place).path"))
                }
                return .object(members)
            default:
                return value
            }
        }
    }

    /// The item with every path replaced by the digest that `store` returns for it.
    func replacing(_ item: JSONNode, store: (String) throws -> String) throws -> JSONNode {
        try mapMedia(item) { value, _ in
            guard let path = value.text ?? value["path"]?.text else { return value }
            return .object(["media": .string(try store(path))])
        }
    }

    private func mapMedia<Failure: Error>(
        _ item: JSONNode,
        _ change: (JSONNode, _ place: String) throws(Failure) -> JSONNode
    ) throws(Failure) -> JSONNode {
        guard case .object(var members) = item else { return item }
        for index in members.indices {
            let name = members[index].name
            switch (name, members[index].value) {
            case ("image", let value), ("video", let value), ("source", let value),
                ("edited", let value):
                members[index].value = try mapReference(value, name, change)
            case ("first", let value) where candidatesAreMedia,
                ("second", let value) where candidatesAreMedia:
                members[index].value = try mapReference(value, name, change)
            case ("candidates", .array(var elements)) where candidatesAreMedia:
                for place in elements.indices {
                    elements[place] = try mapReference(
                        elements[place],
                        "candidates[\(place)]",
                        change
                    )
                }
                members[index].value = .array(elements)
            default: continue
            }
        }
        return .object(members)
    }

    /// Changes one picture, or every frame of a clip.
    private func mapReference<Failure: Error>(
        _ value: JSONNode,
        _ place: String,
        _ change: (JSONNode, _ place: String) throws(Failure) -> JSONNode
    ) throws(Failure) -> JSONNode {
        guard case .object(var members) = value, value["frames"] != nil else {
            return try change(value, place)
        }
        for index in members.indices where members[index].name == "frames" {
            guard case .array(var frames) = members[index].value else { continue }
            for frame in frames.indices {
                frames[frame] = try change(frames[frame], "\(place).frames[\(frame)]")
            }
            members[index].value = .array(frames)
        }
        return .object(members)
    }

    /// A path of a file as an absolute one.
    ///
    /// - Throws: `MediaPathError` for an address such as `https://…`.
    func absolute(_ path: String, at place: String) throws(MediaPathError) -> String {
        for scheme in ["http://", "https://", "file://", "s3://", "data:"]
        where path.lowercased().hasPrefix(scheme) {
            throw MediaPathError(
                message: """
                    \(place): expected the path of a file, got a '\(scheme)' address. Download it \
                    first
                    """
            )
        }
        if path.isEmpty { return path }
        return Self.normalize(path.hasPrefix("/") ? path : directory + "/" + path)
    }

    /// An absolute path without `.`, `..` and doubled slashes; symbolic links are not followed.
    static func normalize(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The absolute directory that relative paths of an items file start from: the file's own, or
    /// the working directory for standard input.
    static func directory(ofItems path: String, workingDirectory: String) -> String {
        if path == "-" { return workingDirectory }
        let full = normalize(path.hasPrefix("/") ? path : workingDirectory + "/" + path)
        let parent = full.split(separator: "/").dropLast().joined(separator: "/")
        return "/" + parent
    }
}

/// A media path that no daemon could open.
struct MediaPathError: Error, Equatable, Sendable {
    /// The member, what was expected and what it holds; no line number yet.
    let message: String
}
