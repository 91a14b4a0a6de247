package import HandshakeDiagnosis
import PacketWire

/// The situations of a live run: when each was first told, and which are over.
package struct SituationCourse: Sendable {
    package struct Entry: Sendable {
        package var situation: Situation
        /// Nanoseconds since the epoch when it was first told.
        package var told: Int64
    }

    /// A situation begins or ends. Each is told once.
    package enum Event: Sendable {
        case begins(Situation)
        case ends(Situation)
    }

    /// A situation is over this long after the last attempt that it happened to, if others went well since.
    package static let quiet: Int64 = 60_000_000_000

    /// Those that last, in the order of the diagnosis.
    package private(set) var lasting: [Entry] = []

    package init() {}

    /// Takes what stands out now.
    /// - Parameter now: nanoseconds since the epoch.
    package mutating func take(_ situations: [Situation], now: Int64) -> [Event] {
        let present = situations.filter { situation in
            situation.wellAfter == nil || now &- situation.window.upperBound < SituationCourse.quiet
        }
        var events: [Event] = []
        for entry in lasting where !present.contains(where: { SituationCourse.areOne($0, entry.situation) }) {
            let latest = situations.first { SituationCourse.areOne($0, entry.situation) }
            events.append(.ends(latest ?? entry.situation))
        }
        lasting = present.map { situation in
            if let known = lasting.first(where: { SituationCourse.areOne($0.situation, situation) }) {
                return Entry(situation: situation, told: known.told)
            }
            events.append(.begins(situation))
            return Entry(situation: situation, told: now)
        }
        return events
    }

    /// Whether two findings are of one situation. Its clients may turn out to be more, or fewer.
    private static func areOne(_ a: Situation, _ b: Situation) -> Bool {
        a.code == b.code && a.scope.servers == b.scope.servers && a.scope.ports == b.scope.ports
            && (a.scope.servers != nil || a.scope.clients == b.scope.clients)
    }
}
