import Foundation
package import HandshakeRecord

/// The totals that an earlier run saved with `--summary`, as far as a diagnosis asks for them.
package enum SavedSummary {
    private struct Document: Decodable {
        struct Capture: Decodable {
            var quality: [String]
            var notes: [String]
        }
        var type: String
        var capture: Capture
    }

    /// The qualities of the capture; nil where the octets are no summary.
    package static func quality(of octets: [UInt8]) -> [CaptureQualityFinding]? {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(octets)), document.type == "summary"
        else { return nil }
        return zip(document.capture.quality, document.capture.notes).compactMap { code, note in
            CaptureQuality(rawValue: code).map { CaptureQualityFinding($0, note) }
        }
    }
}
