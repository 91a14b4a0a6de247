package import HandshakeRecord
package import HandshakeDiagnosis

/// Fields of the capture itself, for assertions: `capture.quality contains filtered`,
/// `capture.situations contains port-filtered`.
enum CaptureField: String, CaseIterable, Sendable {
    case quality = "capture.quality"
    case situations = "capture.situations"

    /// The names that it can have.
    var codes: [String] {
        switch self {
        case .quality: CaptureQuality.allCases.map(\.rawValue)
        case .situations: SituationCode.allCases.map(\.rawValue)
        }
    }

    /// The noun for one of its names.
    var noun: String {
        switch self {
        case .quality: "capture quality"
        case .situations: "situation"
        }
    }

    var summary: String {
        switch self {
        case .quality:
            "what the capture itself is; in assertions, outside of aggregates: capture.quality contains filtered"
        case .situations:
            "what synscope diagnose finds; in assertions, outside of aggregates: capture.situations contains "
                + "port-filtered"
        }
    }

    /// The field that an expression names; nil where it names another, or none.
    init?(_ syntax: Syntax) {
        guard case .word(let word) = syntax.kind else { return nil }
        self.init(rawValue: word)
    }
}

/// The names that each field of a capture has.
package struct CaptureFacts: Sendable {
    private var codes: [CaptureField: [String]]

    package init(quality: [CaptureQuality] = [], situations: [SituationCode] = []) {
        var named: [String] = []
        for situation in situations where !named.contains(situation.rawValue) { named.append(situation.rawValue) }
        codes = [.quality: quality.map(\.rawValue), .situations: named]
    }

    subscript(field: CaptureField) -> [String] { codes[field] ?? [] }

    func has(_ quality: CaptureQuality) -> Bool { self[.quality].contains(quality.rawValue) }
}

extension Checker {
    /// The name that `capture.quality contains ...` asks for.
    func captureCode(_ syntax: Syntax, of field: CaptureField) throws(ExpressionError) -> String {
        switch syntax.kind {
        case .word(let code), .literal(.text(let code)):
            if field.codes.contains(code) { return code }
            throw error("there is no \(field.noun) '\(code)'" + NearestName.hint(code, among: field.codes), syntax)
        default: throw error("the name of a \(field.noun) should stand here", syntax)
        }
    }
}
