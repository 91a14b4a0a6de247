import PacketWire

/// One thing that can be read: its name and what of it.
package struct FormatRow: Sendable {
    package var name: String
    /// Its number, where it has one.
    package var number: Int?
    package var summary: String

    package init(name: String, number: Int? = nil, summary: String) {
        self.name = name
        self.number = number
        self.summary = summary
    }
}

/// Files, link types and encapsulations that can be read.
package struct FormatsReport: Sendable {
    package var files: [FormatRow]
    package var compressions: [FormatRow]
    package var linkTypes: [FormatRow]
    package var encapsulations: [FormatRow]

    /// - Parameters:
    ///   - files: formats of capture files.
    ///   - compressions: what they may be compressed with.
    package init(files: [FormatRow], compressions: [FormatRow]) {
        self.files = files
        self.compressions = compressions
        linkTypes = LinkType.catalogue.map {
            FormatRow(name: $0.name, number: Int($0.type.rawValue), summary: $0.summary)
        }
        encapsulations = [
            FormatRow(name: "vlan", summary: "stacks of IEEE 802.1Q and 802.1ad tags; the first four are shown"),
            FormatRow(
                name: "ipv6",
                summary: "extension headers: hop-by-hop, routing, destination, fragment, mobility, HIP, shim6"),
            FormatRow(name: "fragment", summary: "IPv4 and IPv6 fragments, put together within bounds"),
        ]
        encapsulations += Tunnel.allCases.map { FormatRow(name: $0.name, summary: $0.summary) }
    }

    private var parts: [(name: String, title: String, rows: [FormatRow])] {
        [
            ("files", "Files", files), ("compressions", "Compressed with", compressions),
            ("link_types", "Link types", linkTypes), ("encapsulations", "Encapsulations", encapsulations),
        ]
    }

    package func text(width: Int, to out: inout OutputBuffer) {
        for (position, part) in parts.enumerated() {
            if position > 0 { out.line("") }
            out.line(part.title)
            let names = part.rows.map(\.name.count).max() ?? 0
            let indent = names + 4 + (part.rows.contains { $0.number != nil } ? 5 : 0)
            for row in part.rows {
                let number = row.number.map { "\($0)".paddedLeft(4) + " " } ?? ""
                for (index, line) in row.summary.wrapped(max(30, width - indent)).enumerated() {
                    let head = index == 0 ? "  \(number)\(row.name.padded(names))  " : ""
                    out.line(head.padded(indent) + line)
                }
            }
        }
    }

    package func json(to out: inout OutputBuffer) {
        JSONReport.write(to: &out) { json in
            json.object { json in
                for part in parts {
                    json.array(part.name, part.rows) { json, row in
                        json.object {
                            $0.field("name", row.name)
                            if part.name == "link_types" { $0.field("number", row.number) }
                            $0.field("summary", row.summary)
                        }
                    }
                }
            }
        }
    }
}
