import PacketWire

// A SYN, from octets and back.
var syn = Segment(from: Endpoint(IPAddress(v4: 0xc000_0201), 40000), to: Endpoint(IPAddress(v4: 0xc633_6401), 443))
syn.flags = .syn
syn.seq = 1000
let octets = FrameEncoder(.ethernet).encode(syn)
switch FrameDecoder(.ethernet).decode(octets) {
case .segment(let segment): print(segment.source, segment.destination, segment.seq, segment.flags == .syn)
case .icmpError, .ignored, .malformed, .cut: fatalError("no segment")
}
