// The catalogue: each outcome and finding in one table, with its policy and its text. A new code is a case here and a
// place in the judge that finds it; everything else (JSON, explain, the docs' test) follows.

/// How much a finding matters by itself.
public enum Severity: String, CaseIterable, Sendable, Comparable {
    /// Good to know.
    case info
    /// Unusual, and harmless by itself.
    case note
    /// Costs time or points at trouble.
    case warning
    /// Breaks the protocol's arithmetic.
    case error

    public static func < (a: Severity, b: Severity) -> Bool {
        allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)!
    }
}

/// The stable identifiers of what can be found: they appear in JSON, in assertions and in `synscope explain`.
public enum FindingCode: String, CaseIterable, Sendable {
    case captureDuplicate = "capture-duplicate"
    case synRetransmitted = "syn-retransmitted"
    case synAfterRefusal = "syn-after-refusal"
    case synLost = "syn-lost"
    case synackLost = "synack-lost"
    case ackLost = "ack-lost"
    case synackRetransmitted = "synack-retransmitted"
    case synackIsnChanged = "synack-isn-changed"
    case tupleReused = "tuple-reused"
    case synIsnChanged = "syn-isn-changed"
    case synOnEstablished = "syn-on-established"
    case synOptionsChanged = "syn-options-changed"
    case mssChanged = "mss-changed"
    case mssClamped = "mss-clamped"
    case mssAbsent = "mss-absent"
    case mssTiny = "mss-tiny"
    case synackWrongAck = "synack-wrong-ack"
    case ackWrongAck = "ack-wrong-ack"
    case ackWrongSeq = "ack-wrong-seq"
    case rstUnacceptable = "rst-unacceptable"
    case rstInexact = "rst-inexact"
    case rstBeforeSynack = "rst-before-synack"
    case resetAfterEstablished = "reset-after-established"
    case rstFromMiddlebox = "rst-from-middlebox"
    case halfOpenDiscovered = "half-open-discovered"
    case synackBadTsecr = "synack-bad-tsecr"
    case synackUnsolicited = "synack-unsolicited"
    case synackWrongDirection = "synack-wrong-direction"
    case dataBeforeEstablished = "data-before-established"
    case oneSided = "one-sided"
    case selfConnect = "self-connect"
    case nat
    case oneWayTunnel = "one-way-tunnel"
    case foreignTunnel = "foreign-tunnel"
    case possibleForgery = "possible-forgery"
    case checksumBad = "checksum-bad"
    case checksumOffload = "checksum-offload"
    case fragmented
    case fragmentsOverlap = "fragments-overlap"
    case snaplenCut = "snaplen-cut"
    case reservedFlags = "reserved-flags"
    case icmpError = "icmp-error"
    case reorderedCapture = "reordered-capture"
    case clockStepped = "clock-stepped"
    case syncookieSuspect = "syncookie-suspect"
    case wscaleOver14 = "wscale-over-14"
    case optionMalformed = "option-malformed"
    case optionRepeated = "option-repeated"
    case optionNotOffered = "option-not-offered"
    case fastOpenDataIgnored = "fast-open-data-ignored"
    case mptcpStripped = "mptcp-stripped"
    case synOddFlags = "syn-odd-flags"
    case isnZero = "isn-zero"
    case portZero = "port-zero"
    case synFlood = "syn-flood"
    case portScan = "port-scan"
    case backscatter

    /// Its place in the catalogue.
    package var order: Int { FindingCode.orders[self] ?? 0 }

    private static let orders = Dictionary(uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })

    public var severity: Severity {
        switch self {
        case .captureDuplicate, .tupleReused, .mssAbsent, .checksumOffload, .syncookieSuspect, .isnZero, .nat: .info
        case .synRetransmitted, .synAfterRefusal, .synackRetransmitted, .synOnEstablished, .synOptionsChanged,
            .mssChanged, .mssClamped, .rstUnacceptable, .rstInexact, .synackUnsolicited, .dataBeforeEstablished,
            .selfConnect, .fragmented, .snaplenCut, .reservedFlags, .icmpError, .optionRepeated, .fastOpenDataIgnored,
            .mptcpStripped, .synOddFlags, .portZero, .backscatter, .oneWayTunnel:
            .note
        case .synLost, .synackLost, .ackLost, .synackIsnChanged, .synIsnChanged, .mssTiny, .rstBeforeSynack,
            .resetAfterEstablished, .rstFromMiddlebox, .halfOpenDiscovered, .synackBadTsecr, .oneSided, .checksumBad,
            .fragmentsOverlap, .reorderedCapture, .clockStepped, .wscaleOver14, .optionMalformed, .optionNotOffered,
            .synFlood, .portScan, .foreignTunnel, .possibleForgery:
            .warning
        case .synackWrongAck, .ackWrongAck, .ackWrongSeq, .synackWrongDirection: .error
        }
    }
}
