package import HandshakeScenario
import PacketWire

// The capture of a world, as a scenario.
extension Oracle {
    private static let client = Endpoint(IPAddress(v4: 0xc000_0201), 40_000)
    static let server = Endpoint(IPAddress(v4: 0xc633_6401), 443)
    /// Another address of the server.
    static let elsewhere = Endpoint(IPAddress(v4: 0xc633_6463), 443)
    /// The client, behind address translation.
    static let translator = Endpoint(IPAddress(v4: 0xcb00_7105), 61_000)

    /// The capture as a scenario without expectations.
    package func scenario() -> Scenario { scenario(client: Oracle.client) }

    /// The same of another client.
    func scenario(client: Endpoint) -> Scenario {
        var flows = world.attempts.enumerated().map { index, isn in
            Scenario.Flow(
                name: index == 0 ? "" : "attempt\(index + 1)", client: client, server: Oracle.server,
                clientISN: isn,
                serverISN: world.packets.first { $0.meaning == .synAck && !$0.fromClient && $0.attempt == isn }?.seq
                    ?? 0)
        }
        if flows.isEmpty {
            flows = [.standard]
            flows[0].client = client
        }
        if world.trait == .answersElsewhere {
            flows += flows.map { called in
                Scenario.Flow(
                    name: called.name + "elsewhere", client: called.client, server: Oracle.elsewhere,
                    clientISN: called.clientISN, serverISN: called.serverISN)
            }
        }
        if kind == .translated {
            flows += flows.map { inside in
                Scenario.Flow(
                    name: inside.name + "outside", client: Oracle.translator, server: inside.server,
                    clientISN: inside.clientISN, serverISN: inside.serverISN)
            }
        }
        var scenario = Scenario(flows: flows)
        if let kept = kind.keptOctets {
            if kind.hidesCut { scenario.slice = kept } else { scenario.snaplen = kept }
        }
        if kind == .linkRetries { scenario.linkType = .ieee80211 }
        for sighting in sightings {
            let packet = world.packets[sighting.packet]
            let content: Scenario.Content
            if let quoted = packet.quotes {
                let about = self.packet(world.packets[quoted], mss: world.packets[quoted].mss, hopLimit: 60, flows)
                let error = ICMPError(
                    reporter: IPAddress(v4: 0xcb00_7109), type: world.icmp.type, code: world.icmp.code,
                    source: about.segment.source, destination: about.segment.destination, seq: about.segment.seq)
                content = .icmp(error, about: about, quoted: 8)
            } else {
                var hop = packet.hopLimit
                if sighting.isCaptureDuplicate, !sighting.isBesideFirst {
                    hop = sighting.isNearSender ? hop + 1 : hop - 1
                }
                var seen = self.packet(packet, mss: sighting.mss, hopLimit: hop, flows)
                carry(&seen, sighting.carriage)
                seen.segment.linkSequence = sighting.linkSequence << 4
                seen.segment.isLinkRetry = sighting.isLinkRetry
                if sighting.carriage == .translated {
                    seen.flow += flows.count / 2
                    if seen.isFromClient {
                        seen.segment.source = Oracle.translator
                    } else {
                        seen.segment.destination = Oracle.translator
                    }
                }
                content = .packet(seen)
            }
            scenario.steps.append(Scenario.Step(time: sighting.time, content))
            if kind == .forged {
                let flow = flows.firstIndex { $0.clientISN == packet.attempt } ?? 0
                let forgery = Forgery.allCases[(Int(world.seed % 7) + scenario.steps.count / 2) % 7]
                scenario.steps.append(
                    Scenario.Step(time: sighting.time, .packet(forgery.packet(flows[flow], at: flow))))
            }
        }
        // Two, since the clock follows what two frames agree on.
        scenario.steps.append(Scenario.Step(time: world.end, .idle))
        scenario.steps.append(Scenario.Step(time: world.end, .idle))
        return scenario
    }

    private func packet(_ sent: Sent, mss: UInt16?, hopLimit: UInt8, _ flows: [Scenario.Flow]) -> Scenario.Packet {
        let (client, server) = (flows[0].client, sent.isElsewhere ? Oracle.elsewhere : flows[0].server)
        var segment = Segment(from: sent.fromClient ? client : server, to: sent.fromClient ? server : client)
        segment.flags = TCPFlags(sent.letters) ?? []
        segment.seq = sent.seq
        segment.ack = sent.letters.contains(".") ? sent.ack : 0
        segment.payloadLength = sent.length
        segment.window = sent.window
        segment.hopLimit = hopLimit
        segment.identification = sent.identification
        if kind.hasBadChecksum(sent) { segment.checksum = .bad }
        if kind == .offloaded, sent.fromClient { segment.checksum = .offload }
        let flow = flows.firstIndex { $0.clientISN == sent.attempt && $0.server == server } ?? 0
        var packet = Scenario.Packet(flow: flow, isFromClient: sent.fromClient, segment: segment)
        if let mss { packet.optionArea += [2, 4, UInt8(mss >> 8), UInt8(mss & 255)] }
        if let (value, echo) = sent.timestamps {
            packet.optionArea += [1, 1, 8, 10]
            for number in [value, echo] {
                for shift in [24, 16, 8, 0] { packet.optionArea.append(UInt8(number >> UInt32(shift) & 255)) }
            }
        }
        return packet
    }

    private func carry(_ packet: inout Scenario.Packet, _ carriage: Carriage) {
        switch carriage {
        case .plain, .translated: break
        case .gtp:
            packet.segment.tunnels = Tunnels(.gtpU)
            packet.segment.path = TunnelPath([.init(.gtpU, id: packet.isFromClient ? 17 : 4711)])
        case .ipInIP: packet.segment.tunnels = .ipInIP
        case .vxlan:
            packet.segment.tunnels = .vxlan
            packet.segment.network = VirtualNetwork(kind: .vxlan, id: 9)
        case .gre:
            packet.segment.tunnels = .gre
            packet.segment.path = TunnelPath(
                [.init(.gre)], outer: (IPAddress(v4: 0x0a03_0001), IPAddress(v4: 0x0a03_0009)))
        }
    }

    /// The sighting that a frame of the capture is: frames are numbered as sightings are, but for forged ones between
    /// them.
    func index(ofFrame number: UInt64) -> Int? {
        let position = Int(number) - 1
        if kind == .forged, position % 2 == 1 { return nil }
        let index = kind == .forged ? position / 2 : position
        return sightings.indices.contains(index) ? index : nil
    }
}
