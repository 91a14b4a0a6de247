import ArgumentParser
import HandshakeReport
import PacketCapture
import PacketWire

struct Interfaces: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            Link types are shown of interfaces that this process may open: run it with the rights that watch needs.
            """,
        exitStatus: [.fine, .wrongUsage, .init("4", "interfaces cannot be listed")],
        seeAlso: ["capabilities(7)"])

    static let configuration = CommandConfiguration(
        commandName: "interfaces",
        abstract: "List the interfaces that can be watched.",
        discussion: helpText.discussion)

    enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(name: [.customShort("T"), .customLong("format")], help: "Output: text or json.")
    var format = OutputFormat.text

    func run() throws {
        let found: [InterfaceDescription]
        do throws(CaptureError) {
            found = try InterfaceDescription.all()
        } catch {
            throw CommandFailure(status: .notPermitted, message: error.description)
        }
        var output = StandardOutput(isLineBuffered: false)
        let rows = found.map {
            InterfaceRow(
                name: $0.name, description: $0.description, isUp: $0.isUp, isRunning: $0.isRunning,
                isLoopback: $0.isLoopback, isWireless: $0.isWireless, isConnected: $0.isConnected,
                addresses: $0.addresses.map(\.description),
                linkTypes: $0.linkTypes.map { (name: $0.name, isDecoded: $0.isDecoded) })
        }
        switch format {
        case .text: InterfaceReport.text(rows, to: &output.buffer)
        case .json: InterfaceReport.json(rows, to: &output.buffer)
        }
        try output.flush()
    }
}
