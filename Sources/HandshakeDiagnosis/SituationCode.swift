public import HandshakeRecord

/// The stable names of situations: they appear in JSON, in assertions and in `synscope explain`. Their order is that of
/// precedence: an attempt that one situation accounts for is not looked at by those behind it.
public enum SituationCode: String, CaseIterable, Sendable {
    case scan
    case flood
    case backscatter
    case answerFromElsewhere = "answer-from-elsewhere"
    case portReuseCollision = "port-reuse-collision"
    case sequenceRewritten = "sequence-rewritten"
    case resetByMiddlebox = "reset-by-middlebox"
    case hostSilent = "host-silent"
    case hostUnreachable = "host-unreachable"
    case clientsBlocked = "clients-blocked"
    case portFiltered = "port-filtered"
    case portRefused = "port-refused"
    case acceptQueueFull = "accept-queue-full"
    case answersLost = "answers-lost"
    case finalAcksLost = "final-acks-lost"
    case serverResets = "server-resets"
    case loadBalancerChecks = "load-balancer-checks"
    case clientResets = "client-resets"
    case fastOpenBlackholed = "fast-open-blackholed"
    case pathLoss = "path-loss"
    case serverSlow = "server-slow"
    case clientSlow = "client-slow"
    case asymmetricRouting = "asymmetric-routing"
    case optionsStripped = "options-stripped"
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
        case .backscatter, .asymmetricRouting, .optionsStripped, .mssClamped: .note
        case .loadBalancerChecks: .info
        }
    }
}
