package import HandshakeRecord
package import PacketWire

/// One segment of an attempt, as one capture point has it.
package struct PointSegment: Sendable {
    package var kind: SegmentRecord.Kind
    package var fromClient: Bool
    /// Nanoseconds since the epoch, by the point's clock.
    package var time: Int64
    /// Nanoseconds until its last sighting. The other point may have captured any of several.
    package var spread: Int64 = 0
    /// The number of its frame in the point's capture, from 1.
    package var frame: UInt64
    package var seq: UInt32
    package var ack: UInt32
    package var len: UInt32
    package var flags: TCPFlags
    package var window: UInt16
    package var hopLimit: UInt8
    package var trafficClass: UInt8
    /// IPv4 identification; 0 says nothing, as that of IPv6 does.
    package var identification: UInt16
    /// Octets; nil where absent.
    package var mss: UInt16?
    package var windowScale: UInt8?
    package var sackPermitted: Bool
    package var tsval: UInt32
    package var tsecr: UInt32
    package var hasTimestamps: Bool
    /// Its list of option kinds, by its number in the point's `optionLists`.
    package var options: UInt16
    /// Type and code of an ICMP error.
    package var icmp: UInt16

    package init(_ segment: SegmentRecord, firstTime: Int64, options: UInt16) {
        (kind, fromClient, frame) = (segment.kind, segment.fromClient, segment.frame)
        time = firstTime + segment.at
        (seq, ack, len, flags) = (segment.seq, segment.ack, segment.len, segment.flags)
        (window, hopLimit, trafficClass) = (segment.window, segment.hopLimit, segment.trafficClass)
        identification = segment.identification ?? 0
        (mss, windowScale, sackPermitted) = (segment.mss, segment.windowScale, segment.sackPermitted)
        let stamps = segment.timestamps
        (tsval, tsecr, hasTimestamps) = (stamps?.tsval ?? 0, stamps?.tsecr ?? 0, stamps != nil)
        self.options = options
        icmp = segment.icmp.map { UInt16($0.type) << 8 | UInt16($0.code) } ?? 0
    }

    /// Whether it has the same timestamps as another SYN or SYN-ACK, or the same identification.
    func isMarked(as other: PointSegment) -> Bool {
        if tsval != 0, other.tsval != 0 { return (tsval, tsecr) == (other.tsval, other.tsecr) }
        return identification != 0 && identification == other.identification
    }

    /// When the point captured it last.
    var lastTime: Int64 { time + spread }

    /// Whether another segment of its point may be another sighting of its packet.
    func isSamePacket(as other: PointSegment) -> Bool {
        kind == other.kind && fromClient == other.fromClient && (seq, ack, len) == (other.seq, other.ack, other.len)
            && (tsval, identification) == (other.tsval, other.identification)
    }

    /// Flags without those of ECN, which routers and proxies change.
    var shape: TCPFlags { flags.subtracting([.ece, .cwr, .ae, .psh]) }
}

/// One attempt, as one capture point has it: what a comparison needs of its record.
package struct PointAttempt: Sendable {
    package var id: UInt64
    package var client: Endpoint
    package var server: Endpoint
    package var network: VirtualNetwork
    package var ordinal: UInt16
    /// x, as the SYN or its answer says it.
    package var clientISN: UInt32
    /// y; nil where it was not seen.
    package var serverISN: UInt32?
    package var startsAtSYN: Bool
    package var outcome: Outcome
    package var completedBy: CompletedBy?
    package var confidence: Confidence
    package var isDoubtful: Bool
    /// Nanoseconds since the epoch.
    package var firstTime: Int64
    /// Nanoseconds; -1 where not known.
    package var synToSynAck: Int64
    package var synAckToAck: Int64
    package var findings: FindingSet
    /// Its segments in the point's log; sightings of a packet after its first are left out.
    package var segments: Range<Int>
    /// Segments that the analysis did not keep.
    package var segmentsOmitted: Int

    /// Whether segments decided it, so that later ones are no part of it.
    var isClosedByEvidence: Bool {
        completedBy != nil || [.resetByClient, .resetByServer, .stale, .established].contains(outcome)
    }

    /// What `AttemptIdentity` makes of it: the same as in its record.
    package var uid: IdentityText { AttemptIdentity(self).uid }
}

extension AttemptIdentity {
    fileprivate init(_ attempt: PointAttempt) {
        var record = AttemptRecord(id: attempt.id, client: attempt.client, server: attempt.server)
        (record.network, record.ordinal) = (attempt.network, attempt.ordinal)
        (record.clientISN, record.serverISN) = (attempt.clientISN, attempt.serverISN)
        (record.startsAtSYN, record.firstTime) = (attempt.startsAtSYN, attempt.firstTime)
        self.init(record)
    }
}

/// Codes of findings, as bits.
package struct FindingSet: Sendable, Hashable {
    private var bits: UInt128 = 0

    package init(_ findings: [Finding] = []) {
        precondition(FindingCode.allCases.count <= UInt128.bitWidth)
        for finding in findings { bits |= 1 << UInt128(finding.code.order) }
    }

    package func contains(_ code: FindingCode) -> Bool { bits >> UInt128(code.order) & 1 == 1 }

    /// In the catalogue's order.
    package var codes: [FindingCode] { FindingCode.allCases.filter(contains) }
}
