import PacketWire

/// A frame as a scenario makes it.
package struct ScenarioFrame: Sendable {
    /// Nanoseconds since the epoch.
    package var time: Int64
    /// The captured octets.
    package var octets: [UInt8]
    /// Octets on the wire.
    package var wireLength: Int
}

extension Scenario {
    /// The frames in the order of the text.
    package func frames() -> [ScenarioFrame] {
        steps.flatMap { step in
            let (frames, captured) = encoded(step.content)
            return frames.map { whole in
                let octets = whole.prefix(slice)
                return ScenarioFrame(
                    time: Scenario.epoch + step.time, octets: Array(octets.prefix(min(captured ?? .max, snaplen))),
                    wireLength: octets.count)
            }
        }
    }

    /// Several frames of a packet that is sent in pieces.
    private func encoded(_ content: Content) -> (frames: [[UInt8]], captured: Int?) {
        switch content {
        case .packet(let packet):
            let encoder = encoder(for: packet)
            return (
                packet.pieces.isEmpty
                    ? [encoder.encode(packet.segment, rawOptions: packet.optionArea)]
                    : encoder.encode(packet.segment, rawOptions: packet.optionArea, pieces: packet.pieces),
                packet.capturedLength
            )
        case .icmp(let error, let packet, let quoted):
            // It travels towards the quoted packet's sender.
            var encoder = encoder(for: packet)
            encoder.turn()
            return ([encoder.encode(error, about: packet.segment, rawOptions: packet.optionArea, quoted: quoted)], nil)
        case .idle: return ([FrameEncoder(linkType).encodeDatagram(between: flows[0].client, flows[0].server)], nil)
        case .octets(let octets): return ([octets], nil)
        }
    }

    private func encoder(for packet: Packet) -> FrameEncoder {
        var encoder = FrameEncoder(linkType)
        if !packet.isFromClient { encoder.turn() }
        if let mac = packet.senderMAC { encoder.sourceMAC = mac }
        return encoder
    }
}
