import Foundation
package import HandshakeRecord
import HandshakeReport
import PacketWire

/// The totals that an earlier run saved with `--summary`, as far as they are no sum over the attempts.
package struct SavedSummary: Sendable {
    /// The files, and the filter.
    package let capture: CaptureDescription
    package let frames: FrameCounts
    /// Qualities of the capture that bound what can be said of its attempts.
    package let quality: [CaptureQualityFinding]

    private struct Document: Decodable {
        struct Frames: Decodable {
            var segments: UInt64
            var cut: UInt64
            var ignored: [String: UInt64]
            var malformed: [String: UInt64]
        }
        struct File: Decodable {
            var name: String
            var format: String
            var linkType: String
            var snaplen: Int
            var timeResolutionNs: Int64
        }
        struct Capture: Decodable {
            var files: [File]?
            var filter: String?
            var quality: [String]
            var notes: [String]
        }
        var type: String
        var frames: Frames
        var capture: Capture
    }

    /// Nil where the octets are no summary.
    package init?(_ octets: [UInt8]) {
        // Keys that are names of reasons keep their hyphens.
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let document = try? decoder.decode(Document.self, from: Data(octets)), document.type == "summary",
            let frames = FrameCounts(
                segments: document.frames.segments, cut: document.frames.cut, ignored: document.frames.ignored,
                malformed: document.frames.malformed)
        else { return nil }
        self.frames = frames
        quality = zip(document.capture.quality, document.capture.notes).compactMap { code, note in
            CaptureQuality(rawValue: code).map { CaptureQualityFinding($0, note) }
        }
        let files = (document.capture.files ?? []).map {
            CaptureDescription.File(
                name: $0.name, format: $0.format, linkType: $0.linkType, snaplen: $0.snaplen,
                timeResolution: $0.timeResolutionNs)
        }
        capture = CaptureDescription(files: files, filter: document.capture.filter, started: nil)
    }
}
