/// How a picture can be spoilt without changing what it shows.
package enum QualityFault: String, CaseIterable, Sendable {
    case blur, noise
    /// Drawn at a low resolution without smoothing of edges.
    case jagged
    /// A veil of one colour, which leaves every colour nearer to itself than to another.
    case colourCast
    /// The brightness of a clip's frames jumps; clips only.
    case flicker

    /// The fault in words.
    package var name: String {
        switch self {
        case .blur: "blur"
        case .noise: "noise"
        case .jagged: "jagged edges"
        case .colourCast: "colour cast"
        case .flicker: "flicker"
        }
    }
}

/// The fault of a picture and how bad it is.
package struct SceneQuality: Hashable, Sendable {
    /// The fault; nil when the picture is whole.
    package let fault: QualityFault?
    /// 0 for none, 1 for mild (plain to see at 72×72 pixels all the same), 2 for severe.
    package let severity: Int

    /// A picture without faults.
    package static let whole = SceneQuality(fault: nil, severity: 0)

    /// A fault of severity 1 or 2.
    package init(_ fault: QualityFault, severity: Int) {
        precondition((1...2).contains(severity), "a severity of 1 or 2")
        self.init(fault: fault, severity: severity)
    }

    private init(fault: QualityFault?, severity: Int) {
        self.fault = fault
        self.severity = severity
    }

    /// "mild blur", "severe noise"; nil when the picture is whole.
    package var reason: String? {
        fault.map { (severity == 1 ? "mild " : "severe ") + $0.name }
    }
}
