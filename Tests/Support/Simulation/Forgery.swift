package import HandshakeScenario
import PacketWire

/// What a stranger who knows both sides' numbers sends, in their names, to the end of a tunnel.
package enum Forgery: CaseIterable, Sendable {
    case synAck, finalAck, refusal, clientReset, serverReset, syn, data

    /// - Returns: a packet of a flow, in GTP-U between two addresses of nobody in any scenario.
    package func packet(_ flow: Scenario.Flow, at position: Int) -> Scenario.Packet {
        let (x, y) = (flow.clientISN &+ 1, flow.serverISN &+ 1)
        let (isFromClient, flags, seq, ack, length): (Bool, TCPFlags, UInt32, UInt32, UInt32) =
            switch self {
            case .synAck: (false, [.syn, .ack], y &+ 7776, x, 0)
            case .finalAck: (true, .ack, x, y, 0)
            case .refusal: (false, [.rst, .ack], 0, x, 0)
            case .clientReset: (true, .rst, x, 0, 0)
            case .serverReset: (false, .rst, y, 0, 0)
            case .syn: (true, .syn, flow.clientISN &+ 123_456, 0, 0)
            case .data: (false, [.ack, .psh], y, x &+ 1, 100)
            }
        var segment = Segment(
            from: isFromClient ? flow.client : flow.server, to: isFromClient ? flow.server : flow.client)
        (segment.flags, segment.seq, segment.ack, segment.payloadLength) = (flags, seq, ack, length)
        segment.hopLimit = 64
        segment.tunnels = Tunnels(.gtpU)
        segment.path = TunnelPath(
            [.init(.gtpU, id: 1)], outer: (IPAddress(v4: 0xcb00_7142), IPAddress(v4: 0xc000_0263)))
        return Scenario.Packet(flow: position, isFromClient: isFromClient, segment: segment)
    }
}

extension Scenario {
    /// The same with a forged segment of its flow behind each packet.
    package func with(_ forgery: Forgery) -> Scenario {
        var forged = self
        forged.steps = []
        for step in steps {
            forged.steps.append(step)
            guard case .packet(let packet) = step.content else { continue }
            forged.steps.append(
                Step(time: step.time, .packet(forgery.packet(flows[packet.flow], at: packet.flow))))
        }
        return forged
    }
}
