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
        let name = record.client.address.version == .v4 ? "ip.addr" : "ipv6.addr"
        var parts = [record.client, record.server].map { "\(name)==\($0.address)" }
        parts += [record.client, record.server].map { "tcp.port==\($0.port)" }
        if numbering == .oneFile {
            let frames = record.segments.map(\.frame)
            parts.append("frame.number>=\(min(record.id, frames.min() ?? record.id))")
            // Of more segments than are kept the last is not known.
            if record.segmentsOmitted == 0, let last = frames.max() { parts.append("frame.number<=\(last)") }
        }
        return parts.joined(separator: " && ")
    }
}
