import PacketWire

extension Scenario {
    /// The scenario in its own language: read again, it gives the same frames and expectations.
    package var text: String {
        var lines: [String] = []
        if linkType != .ethernet { lines.append("link \(linkType.name)") }
        if snaplen != Scenario.wholeFrames { lines.append("snaplen \(snaplen)") }
        if slice != Scenario.wholeFrames { lines.append("slice \(slice)") }
        for (index, flow) in flows.enumerated() where index > 0 || flow != .standard { lines.append(text(of: flow)) }
        if !lines.isEmpty { lines.append("") }
        var writer = StepWriter(flows: flows, labels: labels)
        for index in steps.indices { lines.append(writer.line(of: steps[index], at: index)) }
        if !expectations.isEmpty { lines.append("") }
        lines += expectations.map(text(of:))
        return lines.joined(separator: "\n") + "\n"
    }

    /// Names for the packets that an ICMP error quotes without following them, by the packet's and by the error's
    /// index.
    private var labels: [Int: String] {
        var labels: [Int: String] = [:]
        var last: Int?
        for (index, step) in steps.enumerated() {
            if case .packet = step.content { last = index }
            guard case .icmp(_, let quoted, _) = step.content else { continue }
            let about = steps[..<index].lastIndex {
                guard case .packet(var packet) = $0.content else { return false }
                // The quoted number is written in any case.
                packet.segment.seq = quoted.segment.seq
                return packet == quoted
            }
            if let about, about != last {
                labels[about] = "p\(about + 1)"
                labels[index] = labels[about]
            }
        }
        return labels
    }

    private func text(of flow: Flow) -> String {
        let name = flow.name.isEmpty ? "" : "\(flow.name) "
        let isElsewhere = flow.name.isEmpty || (flow.client, flow.server) != (flows[0].client, flows[0].server)
        let ends = isElsewhere ? "\(flow.client) > \(flow.server) " : ""
        return "flow \(name)\(ends)isn \(flow.clientISN) \(flow.serverISN)"
    }

    private func text(of expectation: Expectation) -> String {
        var words: [String]
        switch expectation.claim {
        case .field(let path, let values): words = [path] + values
        case .range(let path, let range): words = [path, "\(range.lowerBound)..\(range.upperBound)"]
        case .findings(let codes):
            words = [expectation.subject == .summary ? "patterns" : "findings"] + (codes.isEmpty ? ["none"] : codes)
        case .absent(let code): words = ["not", code]
        }
        if case .attempt(let flow, let occurrence) = expectation.subject {
            let name = flows[flow].name
            if !name.isEmpty || occurrence > 1 || namesSubject(words[0]) {
                words.insert((name.isEmpty ? "attempt" : name) + (occurrence > 1 ? "#\(occurrence)" : ""), at: 0)
            }
        }
        return (["expect"] + words).joined(separator: " ")
    }

    /// Whether a word behind `expect` is read as what is meant, and not as what is claimed.
    private func namesSubject(_ word: String) -> Bool {
        let name = word.split(separator: "#", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        return ["attempt", "patterns", "not"].contains(name) || word.hasPrefix("summary.")
            || !name.isEmpty && flows.contains { $0.name == name }
    }
}

/// Writes steps; remembers what the parser would assume, to leave it out.
private struct StepWriter {
    let flows: [Scenario.Flow]
    let labels: [Int: String]
    private var last: Int64?
    private var identification: UInt16 = 100

    init(flows: [Scenario.Flow], labels: [Int: String]) {
        self.flows = flows
        self.labels = labels
    }

    mutating func line(of step: Scenario.Step, at index: Int) -> String {
        let time: String
        // A difference is no longer than a time may be.
        if let last, abs(step.time - last) <= Scenario.longest {
            let sign = step.time < last ? "-" : "+"
            time = sign + TimeSpan(nanoseconds: abs(step.time - last)).text
        } else {
            time = step.time < 0 ? "-\(TimeSpan(nanoseconds: -step.time).text)" : TimeSpan(nanoseconds: step.time).text
        }
        last = step.time
        let padded = time + String(repeating: " ", count: max(0, 7 - time.count))
        switch step.content {
        case .packet(let packet):
            if packet.segment.source.address.version == .v4 { identification &+= 1 }
            let words = words(of: packet) + (labels[index].map { ["as \($0)"] } ?? [])
            return "\(padded) \(words.joined(separator: " "))"
        case .icmp(let error, let packet, let quoted):
            return icmp(padded, error, packet, quoted, about: labels[index])
        case .idle: return "\(padded) idle"
        case .octets(let octets): return "\(padded) octets \(hexadecimal(octets))"
        }
    }

    /// The quoted sequence number is written in any case: the packet that is referred to may be another copy.
    private func icmp(
        _ time: String, _ error: ICMPError, _ packet: Scenario.Packet, _ quoted: Int, about label: String?
    ) -> String {
        var words = [time, "icmp \(error.type)/\(error.code) from \(error.reporter)"]
        if let label { words.append("about \(label)") }
        let flow = flows[packet.flow]
        words.append("seq \(relative(packet.segment.seq, packet.isFromClient ? flow.clientISN : flow.serverISN))")
        if quoted != 8 { words.append("quote \(quoted)") }
        return words.joined(separator: " ")
    }

    private mutating func words(of packet: Scenario.Packet) -> [String] {
        let flow = flows[packet.flow]
        let segment = packet.segment
        let (own, peer) =
            packet.isFromClient ? (flow.clientISN, flow.serverISN) : (flow.serverISN, flow.clientISN)
        let flags = segment.flags.subtracting(.reserved)
        var words = (flow.name.isEmpty ? [] : [flow.name]) + [packet.isFromClient ? ">" : "<", flags.description]
        let isSYN = segment.flags.contains(.syn)
        if segment.payloadLength > 0 {
            words.append("\(relative(segment.seq, own))(\(segment.payloadLength))")
        } else if segment.seq != own &+ (isSYN ? 0 : 1) {
            words.append(relative(segment.seq, own))
        }
        let usualACK = segment.flags.contains(.ack) ? peer &+ 1 : 0
        if segment.flags.contains(.ack) ? segment.ack != usualACK : segment.ack != 0 {
            words.append("ack \(relative(segment.ack, peer))")
        }
        if segment.window != Scenario.standardWindow { words.append("win \(segment.window)") }
        if packet.optionArea != (isSYN ? Scenario.standardSYNOptions : []) {
            words.append("<\(OptionList.text(packet.optionArea))>")
        }
        if segment.hopLimit != Scenario.standardHopLimit { words.append("ttl \(segment.hopLimit)") }
        if segment.source.address.version == .v4, segment.identification != identification {
            words.append("id \(segment.identification)")
        }
        let reserved = segment.flags.intersection(.reserved).rawValue >> 9
        if reserved != 0 { words.append("reserved \(reserved)") }
        let tags = segment.vlan.identifiers
        if !tags.isEmpty { words.append("vlan \(tags.map(String.init).joined(separator: ","))") }
        if let tunnel = tunnel(of: segment) { words.append("in \(tunnel)") }
        if segment.checksum == .bad { words.append("checksum bad") }
        if segment.checksum == .offload { words.append("checksum offload") }
        if segment.isFragment { words.append("fragment") }
        if !packet.pieces.isEmpty {
            words.append("pieces " + packet.pieces.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ","))
        }
        if let mac = packet.senderMAC {
            words.append("mac \(mac.map { hexadecimal([$0]) }.joined(separator: ":"))")
        }
        if segment.linkSequence != 0 { words.append("link-sequence \(segment.linkSequence >> 4)") }
        if segment.isLinkRetry { words.append("link-retry") }
        if let length = packet.capturedLength { words.append("cut \(length)") }
        return words
    }

    private func tunnel(of segment: Segment) -> String? {
        guard let name = tunnelName(of: segment) else { return nil }
        return segment.path.outer.map { "\(name) from \($0.source) to \($0.destination)" } ?? name
    }

    private func tunnelName(of segment: Segment) -> String? {
        switch segment.network.kind {
        case .vxlan: return "vxlan \(segment.network.id)"
        case .geneve: return "geneve \(segment.network.id)"
        case .nvgre: return "nvgre \(segment.network.id)"
        case .none: break
        }
        let named: [(Tunnel, String)] = [(.gre, "gre"), (.mpls, "mpls"), (.pppoe, "pppoe"), (.ipInIP, "ip")]
        if let known = named.first(where: { segment.tunnels.contains(Tunnels($0.0)) }) { return known.1 }
        let session = segment.path.layers.first { $0.tunnel == .gtpU }
        return session.map { "gtp \($0.id ?? 0)" }
    }

    /// The number relative to the ISN, where that is small, else absolute.
    private func relative(_ number: UInt32, _ isn: UInt32) -> String {
        let difference = Int32(truncatingIfNeeded: number &- isn)
        return abs(Int64(difference)) < 1_000_000 ? "\(difference)" : "=\(number)"
    }
}
