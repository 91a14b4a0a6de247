package import HandshakeRecord
import PacketWire

/// The display filter of Wireshark that shows an attempt's frames, to be copied.
///
/// It selects what passed between both ends, in either direction and in tunnels too: the attempt's own frames, and ICMP
/// errors that quote them. Where frame numbers are those of one file, it selects from the attempt's first frame to its
/// last: other frames of the same connection may lie between them. Elsewhere it selects every connection of these ends.
package enum DisplayFilter {
    /// The numbering of frames.
    package enum Numbering: Sendable, Hashable {
        /// Those of one file, as Wireshark counts them.
        case oneFile
        /// Those of several files together, of a file that may be replaced, or of a live capture: no file has them.
        case noFile

        package init(fileCount: Int) { self = fileCount == 1 ? .oneFile : .noFile }
    }

    package static func text(_ record: AttemptRecord, _ numbering: Numbering) -> String {
        text(record, numbering) { _, value in value }
    }

    /// The same of a plain attempt with marks instead of its figures.
    static func marked(_ record: AttemptRecord, _ numbering: Numbering) -> String {
        text(record, numbering) { figure, _ in figure.mark }
    }

    private static func text(
        _ record: AttemptRecord, _ numbering: Numbering, _ figure: (PlainFigure, String) -> String
    ) -> String {
        let name = record.client.address.version == .v4 ? "ip.addr" : "ipv6.addr"
        var parts = [
            "\(name)==\(figure(.clientAddress, record.client.address.description))",
            "\(name)==\(figure(.serverAddress, record.server.address.description))",
            "tcp.port==\(figure(.clientPort, String(record.client.port)))",
            "tcp.port==\(figure(.serverPort, String(record.server.port)))",
        ]
        if numbering == .oneFile {
            let frames = record.segments.map(\.frame)
            parts.append("frame.number>=\(figure(.id, String(min(record.id, frames.min() ?? record.id))))")
            // Of more segments than are kept the last is not known.
            if record.segmentsOmitted == 0, let last = frames.max() {
                parts.append("frame.number<=\(figure(.ackFrame, String(last)))")
            }
        }
        return parts.joined(separator: " && ")
    }
}
