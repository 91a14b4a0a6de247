package import HandshakeDiagnosis
import PacketWire

/// The parts of a diagnosis that are right.
package struct IncidentVerdict: Sendable {
    /// Situations of the right kind, whose scopes have the right connections together.
    package private(set) var isFound = false
    package private(set) var hasRightScope = false
    /// Whether the begin is within two attempts of the truth, or the true rate within the stated interval.
    package private(set) var hasRightTime = false
    /// Situations that are not there.
    package private(set) var falseAlarms: [Situation] = []
    package let situations: [Situation]
    /// Whether it happened to three connections at least: fewer are no situation.
    package private(set) var isObservable = true

    package var isRight: Bool { isFound && hasRightScope && hasRightTime && falseAlarms.isEmpty }

    package init(_ world: IncidentWorld) {
        situations = world.diagnosed()
        guard let truth = world.truth else {
            falseAlarms = situations
            (isFound, hasRightScope, hasRightTime) = (true, true, true)
            return
        }
        if truth.rate > 0 {
            let meant = world.connections.count { IncidentWorld.happens(truth, to: $0) }
            isObservable = Double(meant) * truth.rate >= 3
        }
        let right = situations.filter { $0.code == truth.code }
        falseAlarms = situations.filter { $0.code != truth.code }
        guard !right.isEmpty else {
            // Nothing was to be said, and nothing was.
            if !isObservable { (isFound, hasRightScope, hasRightTime) = (true, true, true) }
            return
        }
        isFound = true
        if truth.servers.isEmpty || truth.clients.isEmpty {
            hasRightScope =
                right.count == 1
                && right.allSatisfy { situation in
                    truth.servers.allSatisfy { situation.scope.servers == .host($0.address) }
                        && truth.clients.allSatisfy { situation.scope.clients == .host($0) }
                }
            hasRightTime = true
            return
        }
        // Connections while it lasted.
        let during = world.connections.filter { $0.time >= truth.begin ?? .min && $0.time < truth.end ?? .max }
        let meant = during.filter { truth.servers.contains($0.server) && truth.clients.contains($0.client.address) }
        func isIn(_ connection: IncidentWorld.Connection, _ situation: Situation) -> Bool {
            let scope = situation.scope
            return (scope.servers?.contains(connection.server.address) ?? true)
                && (scope.ports.isEmpty || scope.ports.contains(connection.server.port))
                && (scope.clients?.contains(connection.client.address) ?? true)
        }
        let said = during.filter { connection in right.contains { isIn(connection, $0) } }
        hasRightScope = said.map(\.client) == meant.map(\.client)
        if truth.rate > 0, truth.rate < 1 {
            hasRightTime = right.contains { ($0.share ?? 1...1).contains(truth.rate) }
        } else if let begin = truth.begin {
            let times = world.connections.filter { connection in right.contains { isIn(connection, $0) } }.map(\.time)
            let first = right.map(\.window.lowerBound).min() ?? .max
            let distance = times.count { $0 < first } - times.count { $0 < begin }
            hasRightTime = abs(distance) <= 2
        } else {
            hasRightTime = true
        }
    }
}
