import HandshakeAnalysis

/// What an assertion can ask of the capture itself, beside its attempts: `capture.quality contains filtered`.
enum CaptureField {
    static let name = "capture.quality"
    static let codes = CaptureQuality.allCases.map(\.rawValue)

    /// Whether an expression asks of the capture.
    static func isMeant(_ syntax: Syntax) -> Bool {
        if case .word(let word) = syntax.kind { word == name } else { false }
    }
}

extension Checker {
    /// The quality that `capture.quality contains ...` asks for.
    func captureQuality(_ syntax: Syntax) throws(ExpressionError) -> CaptureQuality {
        switch syntax.kind {
        case .word(let code), .literal(.text(let code)):
            if let quality = CaptureQuality(rawValue: code) { return quality }
            throw error(
                "there is no capture quality '\(code)'" + NearestName.hint(code, among: CaptureField.codes), syntax)
        default: throw error("the name of a capture quality should stand here", syntax)
        }
    }
}
