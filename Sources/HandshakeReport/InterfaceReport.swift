/// A line of the list of interfaces.
package struct InterfaceRow: Sendable {
    var name: String
    var description: String?
    var isUp: Bool
    var isRunning: Bool
    var isLoopback: Bool
    var isWireless: Bool
    var isConnected: Bool?
    var addresses: [String]
    var linkTypes: [(name: String, isDecoded: Bool)]

    package init(
        name: String, description: String?, isUp: Bool, isRunning: Bool, isLoopback: Bool, isWireless: Bool,
        isConnected: Bool?, addresses: [String], linkTypes: [(name: String, isDecoded: Bool)]
    ) {
        self.name = name
        self.description = description
        self.isUp = isUp
        self.isRunning = isRunning
        self.isLoopback = isLoopback
        self.isWireless = isWireless
        self.isConnected = isConnected
        self.addresses = addresses
        self.linkTypes = linkTypes
    }
}

/// The list of interfaces: as tcpdump -D gives it, or as JSON.
package enum InterfaceReport {
    package static func text(_ rows: [InterfaceRow], to out: inout OutputBuffer) {
        for (number, row) in rows.enumerated() {
            var marks = [row.isUp ? "up" : "down"]
            if row.isRunning { marks.append("running") }
            if row.isLoopback { marks.append("loopback") }
            if row.isWireless { marks.append("wireless") }
            if let isConnected = row.isConnected { marks.append(isConnected ? "connected" : "disconnected") }
            var line = "\(number + 1).\(row.name.cleaned(for: .text))"
            if let description = row.description { line += " (\(description.cleaned(for: .text)))" }
            line += " [" + marks.joined(separator: ", ") + "]"
            if !row.linkTypes.isEmpty {
                line +=
                    " " + row.linkTypes.map { $0.name + ($0.isDecoded ? "" : " (not decoded)") }.joined(separator: " ")
            }
            out.line(line)
            for address in row.addresses { out.line("    \(address)") }
        }
    }

    package static func json(_ rows: [InterfaceRow], to out: inout OutputBuffer) {
        JSONReport.write(to: &out) { json in
            json.object {
                $0.field("type", "interfaces")
                $0.field("schema", JSONReport.schemaVersion)
                $0.array("interfaces", rows) { json, row in
                    json.object {
                        $0.field("name", row.name)
                        $0.field("description", row.description)
                        $0.field("up", row.isUp)
                        $0.field("running", row.isRunning)
                        $0.field("loopback", row.isLoopback)
                        $0.field("wireless", row.isWireless)
                        $0.field("connected", row.isConnected)
                        $0.array("addresses", row.addresses) { $0.element($1) }
                        $0.array("link_types", row.linkTypes.map(\.name)) { $0.element($1) }
                    }
                }
            }
        }
    }
}
