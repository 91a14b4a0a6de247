import HandshakeRecord
import HandshakeReport
import PacketCapture
import PacketWire

extension CaptureDescription.File {
    /// The description of a file from its reader.
    init(_ file: SavefileDescription) {
        self.init(
            name: String(file.name.split(separator: "/").last ?? "-"), format: file.format,
            linkType: file.linkType.rawValue == .max ? "unknown" : file.linkType.name, snaplen: file.snaplen,
            timeResolution: file.timeResolution)
        hardware = file.section.hardware
        system = file.section.system
        application = file.section.application
        comments = file.section.comments
        interfacesOmitted = file.interfacesOmitted
        interfaces = file.interfaces.map {
            .init(
                name: $0.name, description: $0.description, linkType: $0.linkType.name, snaplen: $0.snaplen,
                timeResolution: $0.timeResolution, comments: $0.comments)
        }
    }
}
