import PacketWire

// Steps: a time, and what is captured then.
extension ScenarioParser {
    mutating func readStep() throws(Diagnostic) {
        position = 0
        let time = try readTime()
        let content = try readContent()
        try end()
        switch content {
        case .packet(let packet):
            frameOctets += Int(packet.segment.payloadLength) + 128
            for piece in packet.pieces { frameOctets += piece.count + 128 }
        case .octets(let octets): frameOctets += octets.count
        case .icmp, .idle: frameOctets += 128
        }
        if frameOctets > Scenario.maximumFrameOctets {
            throw wrong("the frames have more than \(Scenario.maximumFrameOctets) octets together", at: 1)
        }
        now = time
        scenario.steps.append(Scenario.Step(time: time, content))
        isFlowSettled = true
        if case .packet(let packet) = content { lastPacket = packet }
    }

    /// `0`, `1.5`, `+20ms`, `-5us`: seconds, unless it says otherwise; with a sign relative to the step before.
    private mutating func readTime() throws(Diagnostic) -> Int64 {
        let token = try next("a time")
        let isRelative = token.text.hasPrefix("+") || token.text.hasPrefix("-")
        let digits = isRelative ? token.text.dropFirst() : token.text
        guard let value = TimeSpan(text: digits)?.nanoseconds else {
            throw wrong(
                "a line begins with link, snaplen, slice, flow, expect or a time (0, 1.5, +20ms, +3us), not '\(token.text)'",
                at: token)
        }
        if !isRelative { return value }
        let (sum, overflow) =
            token.text.hasPrefix("-")
            ? now.subtractingReportingOverflow(value) : now.addingReportingOverflow(value)
        if overflow || sum.magnitude > UInt64(Scenario.longest) {
            throw wrong("the time is further than 100 years from the start", at: token)
        }
        return sum
    }

    private mutating func readContent() throws(Diagnostic) -> Scenario.Content {
        let token = try next("a direction (> or <), again, icmp, idle or octets")
        switch token.text {
        case ">", "<": return .packet(try readPacket(flow: 0, isFromClient: token.text == ">"))
        case "again":
            var packet = try labelled()
            try readAttributes(&packet)
            return .packet(packet)
        case "icmp": return try readICMP()
        case "idle": return .idle
        case "octets":
            let digits = try next("the frame's octets")
            guard let octets = hexadecimal(digits.text) else {
                throw wrong("octets are written in hexadecimal, two digits each", at: digits)
            }
            return .octets(octets)
        default:
            guard let flow = flow(named: token.text) else {
                let names = scenario.flows.map(\.name).filter { !$0.isEmpty }
                let known = names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", ..." : "")
                throw wrong(
                    "after the time comes a flow's name\(known.isEmpty ? "" : " (\(known))"), >, <, again, icmp, idle or octets, not '\(token.text)'",
                    at: token)
            }
            let direction = try next("a direction (> or <)")
            guard direction.text == ">" || direction.text == "<" else {
                throw wrong("the direction is > (client to server) or <, not '\(direction.text)'", at: direction)
            }
            return .packet(try readPacket(flow: flow, isFromClient: direction.text == ">"))
        }
    }

    private mutating func readPacket(flow index: Int, isFromClient: Bool) throws(Diagnostic) -> Scenario.Packet {
        let flow = scenario.flows[index]
        var segment = Segment(
            from: isFromClient ? flow.client : flow.server, to: isFromClient ? flow.server : flow.client)
        let letters = try next("the flags")
        guard let flags = TCPFlags(letters.text) else {
            throw wrong(
                "flags are letters of SFRPUEWe, . for ACK, or none, not '\(letters.text)'", at: letters)
        }
        segment.flags = flags
        segment.window = Scenario.standardWindow
        segment.hopLimit = Scenario.standardHopLimit
        if segment.source.address.version == .v4 {
            identification &+= 1
            segment.identification = identification
        }
        segment.seq = (isFromClient ? flow.clientISN : flow.serverISN) &+ (flags.contains(.syn) ? 0 : 1)
        if flags.contains(.ack) { segment.ack = (isFromClient ? flow.serverISN : flow.clientISN) &+ 1 }
        var packet = Scenario.Packet(flow: index, isFromClient: isFromClient, segment: segment)
        if flags.contains(.syn) { packet.optionArea = Scenario.standardSYNOptions }
        if let token = peek, let first = token.text.first, first.isNumber || "(=-".contains(first) {
            position += 1
            try readSequence(token, &packet)
        }
        try readAttributes(&packet)
        return packet
    }

    /// `SEQ`, `SEQ(LEN)`, `SEQ:END(LEN)` or `(LEN)`; `=` before SEQ says that it is absolute.
    private mutating func readSequence(_ token: Token, _ packet: inout Scenario.Packet) throws(Diagnostic) {
        var text = token.text
        var length: UInt32?
        if text.last == ")", let open = text.firstIndex(of: "(") {
            guard let value = UInt32(text[text.index(after: open)...].dropLast()), value <= 65_000 else {
                throw wrong("the payload's length is a number up to 65000", at: token)
            }
            length = value
            text = text[..<open]
        }
        packet.segment.payloadLength = length ?? 0
        let bounds = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = bounds.first, !first.isEmpty else { return }
        packet.segment.seq = try sequenceNumber(
            Token(text: first, column: token.column), from: ownISN(packet), "the sequence number")
        guard bounds.count == 2 else { return }
        let end = try sequenceNumber(
            Token(text: bounds[1], column: token.column + first.count + 1), from: ownISN(packet), "the sequence's end")
        if end != packet.segment.seq &+ packet.segment.payloadLength {
            throw wrong(
                "\(first):\(bounds[1]) is \(end &- packet.segment.seq) octets, and (\(packet.segment.payloadLength)) is given",
                at: token)
        }
    }

    private func ownISN(_ packet: Scenario.Packet) -> UInt32 {
        let flow = scenario.flows[packet.flow]
        return packet.isFromClient ? flow.clientISN : flow.serverISN
    }

    private func peerISN(_ packet: Scenario.Packet) -> UInt32 {
        let flow = scenario.flows[packet.flow]
        return packet.isFromClient ? flow.serverISN : flow.clientISN
    }

    private func sequenceNumber(_ token: Token, from isn: UInt32, _ what: String) throws(Diagnostic) -> UInt32 {
        if token.text.first == "=" {
            guard let value = UInt32(token.text.dropFirst()) else {
                throw wrong("\(what) after = is a number up to \(UInt32.max), not '\(token.text)'", at: token)
            }
            return value
        }
        guard let value = Int64(token.text), value.magnitude <= UInt64(UInt32.max) else {
            throw wrong(
                "\(what) is a number relative to the ISN, or absolute after =, not '\(token.text)'", at: token)
        }
        return isn &+ UInt32(truncatingIfNeeded: value)
    }

    private mutating func readAttributes(_ packet: inout Scenario.Packet) throws(Diagnostic) {
        while let token = peek {
            position += 1
            if token.text.first == "<" {
                do {
                    packet.optionArea = try OptionList.octets(token.text.dropFirst().dropLast())
                } catch {
                    throw wrong(error.message, at: token.column + 1 + error.offset)
                }
                continue
            }
            switch token.text {
            case "seq":
                packet.segment.seq = try sequenceNumber(
                    try next("the sequence number"), from: ownISN(packet), "the sequence number")
            case "ack":
                packet.segment.ack = try sequenceNumber(
                    try next("the acknowledgment number"), from: peerISN(packet), "the acknowledgment number")
            case "win": packet.segment.window = try number("the window", 0...UInt16.max)
            case "ttl": packet.segment.hopLimit = try number("the hop limit", 0...UInt8.max)
            case "id":
                if packet.segment.source.address.version == .v6 {
                    throw wrong("only IPv4 has an identification in every packet", at: token)
                }
                packet.segment.identification = try number("the IP identification", 0...UInt16.max)
            case "reserved":
                let bits = try number("the reserved bits", UInt16(0)...7)
                packet.segment.flags.subtract(.reserved)
                packet.segment.flags.insert(TCPFlags(rawValue: bits << 9))
            case "vlan":
                let tags = try next("VLAN identifiers")
                let identifiers = tags.text.split(separator: ",").compactMap { UInt16($0) }
                guard !identifiers.isEmpty, identifiers.allSatisfy({ $0 < 4096 }), identifiers.count <= 4 else {
                    throw wrong("VLAN identifiers are up to four numbers below 4096, outermost first: 100,7", at: tags)
                }
                packet.segment.vlan = VLANTags(identifiers)
            case "in": try readTunnel(&packet.segment)
            case "checksum":
                let state = try next("good, bad or offload")
                switch state.text {
                case "good": packet.segment.checksum = .unverified
                case "bad": packet.segment.checksum = .bad
                case "offload": packet.segment.checksum = .offload
                default: throw wrong("a checksum is good, bad or offload, not '\(state.text)'", at: state)
                }
            case "fragment": packet.segment.isFragment = true
            case "pieces":
                let text = try next("the fragments' octets")
                let pieces = text.text.split(separator: ",").map { $0.split(separator: "-").compactMap { Int($0) } }
                guard !pieces.isEmpty,
                    pieces.allSatisfy({ $0.count == 2 && $0[0] % 8 == 0 && $0[0] < $0[1] && $0[1] < 1 << 16 })
                else {
                    throw wrong("fragments are ranges of octets that begin at multiples of 8: 0-16,16-24", at: text)
                }
                packet.pieces = pieces.map { $0[0]..<$0[1] }
            case "mac":
                let text = try next("a link address")
                let octets = text.text.split(separator: ":").compactMap { hexadecimal($0) }.flatMap { $0 }
                guard octets.count == 6 else {
                    throw wrong("a link address is six octets: 02:00:00:00:00:09", at: text)
                }
                packet.senderMAC = octets
            case "link-sequence", "link-retry":
                guard scenario.linkType == .ieee80211 else {
                    throw wrong("only \(LinkType.ieee80211.name) numbers frames, and repeats them", at: token)
                }
                if token.text == "link-retry" {
                    packet.segment.isLinkRetry = true
                } else {
                    packet.segment.linkSequence = try number("the link's sequence number", UInt16(0)...4095) << 4
                }
            case "cut": packet.capturedLength = try number("the octets that were captured", 0...65_535)
            case "as":
                let label = try next("the packet's name")
                if !isName(label.text) { throw wrong("a name begins with a letter", at: label) }
                if labels[label.text] != nil {
                    throw wrong("there is a packet '\(label.text)' already", at: label)
                }
                labels[label.text] = packet
                // Text behind the name belongs to the packet all the same.
                if peek != nil {
                    try readAttributes(&packet)
                    labels[label.text] = packet
                }
            default:
                throw wrong(
                    "no attribute of a packet is named '\(token.text)' (there are <options>, seq, ack, win, ttl, id, reserved, vlan, in, checksum, fragment, pieces, mac, cut, as)",
                    at: token)
            }
        }
    }

    private mutating func readTunnel(_ segment: inout Segment) throws(Diagnostic) {
        let token = try next("a tunnel")
        // Another tunnel takes the place of the one before.
        (segment.network, segment.path) = (.none, TunnelPath())
        func network(_ kind: VirtualNetwork.Kind) throws(Diagnostic) -> VirtualNetwork {
            VirtualNetwork(kind: kind, id: try number("the virtual network's id", 0...0xff_ffff))
        }
        switch token.text {
        case "vxlan": (segment.tunnels, segment.network) = (.vxlan, try network(.vxlan))
        case "geneve": (segment.tunnels, segment.network) = (.geneve, try network(.geneve))
        case "nvgre": (segment.tunnels, segment.network) = (.gre, try network(.nvgre))
        case "gre": segment.tunnels = .gre
        case "mpls": segment.tunnels = .mpls
        case "pppoe": segment.tunnels = .pppoe
        case "ip": segment.tunnels = .ipInIP
        case "gtp":
            segment.tunnels = Tunnels(.gtpU)
            segment.path = TunnelPath([.init(.gtpU, id: try number("the tunnel's TEID", 0...0xffff_ffff))])
        default:
            throw wrong(
                "no tunnel is named '\(token.text)' (there are vxlan N, geneve N, nvgre N, gre, gtp N, mpls, pppoe, ip)",
                at: token)
        }
        guard peek?.text == "from" else { return }
        position += 1
        let source = try outerAddress()
        let word = try next("to, and the outer destination")
        guard word.text == "to" else { throw wrong("'to' should stand here, not '\(word.text)'", at: word) }
        let destination = try outerAddress()
        segment.path = TunnelPath(segment.path.layers, outer: (source, destination))
    }

    /// An address of the packet that carries a tunnel.
    private mutating func outerAddress() throws(Diagnostic) -> IPAddress {
        let text = try next("an outer address")
        guard let address = IPAddress(String(text.text)), address.version == .v4 else {
            throw wrong("'\(text.text)' is no IPv4 address", at: text)
        }
        return address
    }

    /// The packet named next, else the last one.
    private mutating func labelled() throws(Diagnostic) -> Scenario.Packet {
        if let token = peek, let packet = labels[token.text] {
            position += 1
            return packet
        }
        guard let lastPacket else { throw wrong("there is no packet before this line to refer to", at: tokens[0]) }
        return lastPacket
    }

    /// icmp TYPE/CODE from ADDRESS [about LABEL] [seq N] [quote N]
    private mutating func readICMP() throws(Diagnostic) -> Scenario.Content {
        let numbers = try next("type/code")
        let parts = numbers.text.split(separator: "/", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 2, let type = parts[0], let code = parts[1] else {
            throw wrong("an ICMP error is written type/code: 3/1", at: numbers)
        }
        guard take("from") else { throw wrong("from and the reporter's address are missing", at: numbers) }
        let text = try next("the reporter's address")
        guard let reporter = IPAddress(String(text.text)) else {
            throw wrong("'\(text.text)' is no address", at: text)
        }
        var packet: Scenario.Packet
        if take("about") {
            let name = try next("the packet's name")
            guard let named = labels[name.text] else {
                throw wrong("no packet is named '\(name.text)': name it with 'as \(name.text)'", at: name)
            }
            packet = named
        } else {
            packet = try labelled()
        }
        if reporter.version != packet.segment.source.address.version {
            throw wrong("the reporter's address is not of the packet's IP version", at: text)
        }
        var quoted = 8
        while let token = peek {
            position += 1
            switch token.text {
            case "seq":
                packet.segment.seq = try sequenceNumber(
                    try next("the quoted sequence number"), from: ownISN(packet), "the quoted sequence number")
            case "quote": quoted = try number("the octets of the TCP header that are quoted", 0...60)
            default: throw wrong("an ICMP error has seq and quote, not '\(token.text)'", at: token)
            }
        }
        let error = ICMPError(
            reporter: reporter, type: type, code: code, source: packet.segment.source,
            destination: packet.segment.destination, seq: quoted < 8 ? nil : packet.segment.seq,
            network: packet.segment.network)
        return .icmp(error, about: packet, quoted: quoted)
    }
}
