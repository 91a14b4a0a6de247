public import HandshakeRecord

/// The stable names of situations: they appear in JSON, in assertions and in `synscope explain`. Their order is that of
/// precedence: an attempt that one situation accounts for is not looked at by those behind it.
public enum SituationCode: String, CaseIterable, Sendable {
    /// A client tries many servers or ports and uses next to none.
    case scan
    /// Many handshakes are left open at one server.
    case flood
    /// A host answers packets that nobody here sent.
    case backscatter
    /// Answers come from an address that the clients did not call.
    case answerFromElsewhere = "answer-from-elsewhere"
    /// SYNs meet connections that the server still has.
    case portReuseCollision = "port-reuse-collision"
    /// Numbers do not fit together.
    case sequenceRewritten = "sequence-rewritten"
    /// RSTs do not come from the peer that they name.
    case resetByMiddlebox = "reset-by-middlebox"
    /// A host does not answer.
    case hostSilent = "host-silent"
    /// A router says that a host cannot be reached.
    case hostUnreachable = "host-unreachable"
    /// Some clients get no connection where others do.
    case clientsBlocked = "clients-blocked"
    /// A port does not answer while its host does.
    case portFiltered = "port-filtered"
    /// A port refuses.
    case portRefused = "port-refused"
    /// A server does not accept fast enough.
    case acceptQueueFull = "accept-queue-full"
    /// SYN-ACKs pass here and do not reach the clients.
    case answersLost = "answers-lost"
    /// Clients do not finish their handshakes.
    case finalAcksLost = "final-acks-lost"
    /// A server resets connections as soon as they are made.
    case serverResets = "server-resets"
    /// One client checks a server's health.
    case loadBalancerChecks = "load-balancer-checks"
    /// Clients reset handshakes.
    case clientResets = "client-resets"
    /// SYNs with Fast Open are not answered.
    case fastOpenBlackholed = "fast-open-blackholed"
    /// Segments of handshakes are lost on the way.
    case pathLoss = "path-loss"
    /// Answers of a server take longer since a moment.
    case serverSlow = "server-slow"
    /// Final ACKs of some clients take longer since a moment.
    case clientSlow = "client-slow"
    /// One direction of some connections is not here.
    case asymmetricRouting = "asymmetric-routing"
    /// Options are changed on the way.
    case optionsStripped = "options-stripped"
    /// A proxy answers SYNs in a server's name.
    case synProxy = "syn-proxy"
    /// The MSS is lowered on the way.
    case mssClamped = "mss-clamped"

    /// How much it matters: situations are listed by it, then by how many attempts it cost.
    public var severity: Severity {
        switch self {
        case .hostSilent, .hostUnreachable, .clientsBlocked, .portFiltered, .portRefused, .acceptQueueFull,
            .answersLost,
            .finalAcksLost, .serverResets, .answerFromElsewhere, .portReuseCollision, .sequenceRewritten,
            .resetByMiddlebox, .flood:
            .error
        case .pathLoss, .serverSlow, .clientSlow, .fastOpenBlackholed, .clientResets, .scan: .warning
        case .backscatter, .asymmetricRouting, .optionsStripped, .synProxy, .mssClamped: .note
        case .loadBalancerChecks: .info
        }
    }
}
