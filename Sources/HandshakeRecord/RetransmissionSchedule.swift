/// Retransmission schedules of SYNs. A gap fits within -5 and +15 percent.
public enum RetransmissionSchedule: String, CaseIterable, Sendable {
    /// RFC 6298 section 2 and 5.5: doubling from 1 s.
    case rfc6298
    /// Five timeouts of 1 s, then doubling: Linux since 6.5, BSD and macOS.
    case linear
    /// RFC 1122 4.2.3.1: doubling from 3 s.
    case rfc1122
    /// Older BSD: 6, 12, 24 s.
    case bsd
    /// None of a timer: 10 to 35 ms after an answer that the client rejected.
    case prompted

    /// Seconds between one copy and the next; none without a timer.
    package var seconds: [Int64] {
        switch self {
        case .rfc6298: [1, 2, 4, 8, 16, 32, 64]
        case .linear: [1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64]
        case .rfc1122: [3, 6, 12, 24, 48]
        case .bsd: [6, 12, 24, 48]
        case .prompted: []
        }
    }
}
