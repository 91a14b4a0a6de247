import Glibc
import HandshakeRecord
package import HandshakeDiagnosis
import PacketWire

/// A situation in words, and the filters that show its attempts.
package struct SituationWords {
    private let situation: Situation
    private let zone: Zone

    package init(_ situation: Situation, _ zone: Zone = .utc) {
        self.situation = situation
        self.zone = zone
    }

    private var scope: Scope { situation.scope }

    // MARK: Who

    /// `10.0.0.5:8443`, `port 443 of 10.0.0.0/24`, `all servers`.
    private var servers: String {
        guard let servers = scope.servers else {
            return scope.ports.isEmpty ? "every server" : "\(ports) of every server"
        }
        if servers.isHost, scope.ports.count == 1 { return Endpoint(servers.address, scope.ports[0]).description }
        let name = servers.isHost ? servers.description : "\(situation.hosts) hosts of \(servers)"
        return scope.ports.isEmpty ? name : "\(ports) of \(name)"
    }

    private var ports: String {
        let shown = scope.ports.prefix(4).map(String.init).joined(separator: ", ")
        let more = scope.ports.count > 4 ? " and \(scope.ports.count - 4) more" : ""
        return "port\(scope.ports.count == 1 ? "" : "s") \(shown)\(more)"
    }

    private var clients: String { scope.clients?.description ?? "any client" }

    // MARK: What

    /// One sentence, without its full stop.
    package var sentence: String {
        let counted =
            [.scan, .flood, .backscatter].contains(situation.code)
            ? what : "\(what) (\(counts) attempts\(contrast.map { "; \($0)" } ?? ""))"
        return [counted, when].filter { !$0.isEmpty }.joined(separator: "; ")
    }

    private var counts: String {
        "\(situation.isEstimate ? "about " : "")\(situation.affected) of \(situation.attempts)"
    }

    private var what: String {
        let from = scope.clients == nil ? "" : " from \(clients)"
        switch situation.code {
        case .scan:
            let port = scope.ports.isEmpty ? "" : ", all port \(scope.ports[0])"
            let place = scope.servers.map { $0.isHost ? " of \($0)" : " in \($0)" } ?? ""
            let targets = scope.servers?.isHost == true ? "ports" : "servers and ports"
            return "\(clients) tried \(situation.affected) \(targets)\(place)\(port) that it did not use"
        case .flood: return "\(counts) handshakes at \(servers) were left open"
        case .backscatter: return "\(servers) sent \(situation.affected) answers that nobody here asked for"
        case .answerFromElsewhere: return "answers of \(servers)\(from) come from an address that was not called"
        case .portReuseCollision: return "SYNs\(from) meet older connections at \(servers)"
        case .sequenceRewritten: return "numbers do not fit between \(clients) and \(servers)"
        case .resetByMiddlebox: return "RSTs in the name of \(servers)\(from) come from elsewhere"
        case .hostSilent: return "\(servers) does not answer\(onlyPort)"
        case .hostUnreachable: return "\(servers) cannot be reached\(from), says \(reporter)"
        case .clientsBlocked:
            switch situation.answer {
            case .rst?: return "\(servers) refuses \(clients)"
            case .icmpError?: return "\(clients) may not reach \(servers), says \(reporter)"
            default: return "\(servers) does not answer \(clients)"
            }
        case .portFiltered:
            return situation.answer == .icmpError
                ? "\(servers) is filtered, says \(reporter)" : "\(servers) does not answer, its other ports do"
        case .portRefused: return "\(servers) refuses"
        case .acceptQueueFull: return "\(servers) does not accept fast enough"
        case .answersLost: return "answers of \(servers) do not reach \(clients)"
        case .finalAcksLost: return "no final ACK of \(clients) comes for \(servers)"
        case .serverResets: return "\(servers) resets connections\(from) at once"
        case .loadBalancerChecks: return "\(clients) checks the health of \(servers): harmless"
        case .clientResets: return "\(clients) resets handshakes with \(servers)"
        case .fastOpenBlackholed: return "SYNs with Fast Open\(from) to \(servers) are not answered"
        case .pathLoss: return "\(lost) between \(clients) and \(servers) are lost\(share)"
        case .serverSlow: return "from SYN to SYN-ACK \(servers) takes \(shift)"
        case .clientSlow: return "from SYN-ACK to final ACK \(clients) takes \(shift)"
        case .asymmetricRouting: return "one direction between \(clients) and \(servers) is not here"
        case .optionsStripped: return "options between \(clients) and \(servers) are changed on the way"
        case .synProxy: return "a proxy answers in the name of \(servers)\(from)"
        case .mssClamped: return "the MSS between \(clients) and \(servers) is lowered on the way"
        }
    }

    /// That no attempt is at another port: a filter for it would look the same.
    private var onlyPort: String {
        guard scope.ports.count == 1, !situation.contrasts.contains(where: { $0.kind == .otherPorts }) else {
            return ""
        }
        return ", and no attempt here is at another port of it"
    }

    private var reporter: String { situation.reporter?.description ?? "more than one router" }

    private var lost: String {
        guard let losses = situation.losses else { return "segments" }
        let kinds = [("SYNs", losses.syn), ("SYN-ACKs", losses.synAck), ("final ACKs", losses.ack)]
            .filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
        return kinds.isEmpty ? "segments" : kinds.joined(separator: ", ")
    }

    private var share: String {
        guard let share = situation.share else { return "" }
        func percent(_ value: Double) -> String { Format.fixed(value * 100, 1) }
        return ", in \(percent(share.lowerBound)) to \(percent(share.upperBound)) %"
    }

    private var shift: String {
        guard let shift = situation.shift else { return "longer" }
        return "\(Format.duration(shift.since)) instead of \(Format.duration(shift.before))"
    }

    /// The comparison that says the most.
    private var contrast: String? {
        func told(_ kind: Situation.Contrast.Kind, _ name: String) -> String? {
            guard let contrast = situation.contrasts.first(where: { $0.kind == kind }),
                contrast.attempts > contrast.affected
            else { return nil }
            return "\(contrast.affected) of \(contrast.attempts) \(name) at the same time"
        }
        switch situation.code {
        case .clientsBlocked, .answersLost, .finalAcksLost: return told(.otherClients, "from other clients")
        case .portFiltered, .portRefused, .hostSilent, .serverResets, .acceptQueueFull:
            return told(.otherPorts, "at its other ports") ?? told(.otherServers, "at other servers")
        default: return nil
        }
    }

    // MARK: When

    /// `since 10:02:10`, `10:02:10 to 10:05:00`, `until 10:05:00`, with the number of spells.
    private var when: String {
        let (first, last) = (situation.window.lowerBound, situation.window.upperBound)
        let spells = situation.spells > 1 ? " in \(situation.spells) spells" : ""
        let end = zone.isOneDay(first, last) ? clock(last) : zone.dateAndSecond(last)
        if situation.wellAfter == nil, situation.wellBefore != nil { return "since \(clock(first))\(spells)" }
        if situation.wellAfter != nil, situation.wellBefore == nil { return "until \(end)\(spells)" }
        return (clock(first) == end ? "at \(end)" : "\(clock(first)) to \(end)") + spells
    }

    private func clock(_ time: Int64) -> String { String(zone.clock(time).prefix(8)) }

    /// First and last, and between which attempts it began and ended.
    package var times: String {
        var text =
            "\(zone.dateAndTime(situation.window.lowerBound)) to \(zone.dateAndTime(situation.window.upperBound))"
        text += " \(zone.mark(situation.window.upperBound))"
        if situation.spells > 1 { text += ", in \(situation.spells) spells" }
        if let before = situation.wellBefore { text += "; last well before: \(zone.clock(before))" }
        if let after = situation.wellAfter { text += "; first well after: \(zone.clock(after))" }
        return text
    }

    // MARK: How sure

    package var sureness: String {
        guard let chance = situation.chance else {
            return "nothing in the capture to compare with: \(counts), no test"
        }
        let test = situation.shift == nil ? "Fisher's exact test" : "Pettitt's test"
        if chance < 1e-12 { return "by chance less than once in 10^12 (\(test))" }
        let power = Int((-log10(chance)).rounded(.down))
        return "by chance less than once in 10^\(power) (\(test), all places that were looked at included)"
    }

    package var comparisons: [String] {
        situation.contrasts.map { contrast in
            let name = contrast.kind.rawValue.replacing("-", with: " ")
            let time = contrast.kind == .otherTimes ? "" : " meanwhile"
            return "\(name)\(time): it happened to \(contrast.affected) of \(contrast.attempts)"
        }
    }

    // MARK: Filters

    /// The expression (`-Y`) that chooses the attempts of the scope; nil where it has all.
    package var expression: String? {
        var parts: [String] = []
        if let servers = scope.servers { parts.append("ip.dst == \(servers)") }
        if scope.ports.count == 1 { parts.append("tcp.dstport == \(scope.ports[0])") }
        if scope.ports.count > 1 {
            parts.append("tcp.dstport in {\(scope.ports.map(String.init).joined(separator: ", "))}")
        }
        if let clients = scope.clients { parts.append("ip.src == \(clients)") }
        return parts.isEmpty ? nil : parts.joined(separator: " and ")
    }

    /// The display filter of Wireshark for the frames of the scope and its time.
    package var displayFilter: String {
        var parts = ["tcp"]
        func address(_ prefix: AddressPrefix) -> String {
            "\(prefix.address.version == .v4 ? "ip" : "ipv6").addr == \(prefix)"
        }
        if let servers = scope.servers { parts.append(address(servers)) }
        if !scope.ports.isEmpty {
            let ports = scope.ports.map(String.init).joined(separator: ", ")
            parts.append(scope.ports.count == 1 ? "tcp.port == \(ports)" : "tcp.port in {\(ports)}")
        }
        if let clients = scope.clients { parts.append(address(clients)) }
        parts.append("frame.time >= \"\(Format.rfc3339(situation.window.lowerBound))\"")
        return parts.joined(separator: " && ")
    }
}
