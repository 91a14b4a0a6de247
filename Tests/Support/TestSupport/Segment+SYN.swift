public import PacketWire

extension Segment {
    /// The SYN of the client of a number to a server that all share. Each client has an address of its own.
    /// - Parameter mss: what it offers; no option where nil.
    public static func syn(
        from client: UInt32, port: UInt16 = 1000, to server: UInt32 = 0xc633_6401, seq: UInt32 = 7, mss: UInt16? = 1460
    ) -> Segment {
        var segment = Segment(
            from: Endpoint(IPAddress(v4: 0x0a00_0000 + client), port), to: Endpoint(IPAddress(v4: server), 80))
        segment.flags = .syn
        segment.seq = seq
        if let mss {
            segment.options.present = .mss
            segment.options.mss = mss
        }
        return segment
    }
}
