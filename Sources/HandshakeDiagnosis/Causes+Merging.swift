import PacketWire

// One cause may have shown itself at several hosts, or for several clients: then it is one situation.
extension Causes {
    /// Hosts of one network that are silent, or refuse, at one time, none of the network answering meanwhile.
    mutating func mergeHosts() {
        merge(
            [.hostSilent, .hostUnreachable, .portRefused, .portFiltered],
            alike: { a, b in
                a.scope.clients == b.scope.clients && a.scope.ports == b.scope.ports && a.reporter == b.reporter
                    && a.answer == b.answer
            }
        ) { scope, group in
            scope.servers = AddressPrefix.covering(group.compactMap(\.scope.servers?.address))
            return scope.servers != nil
        }
    }

    /// Clients that several servers do not answer, or several clients of a network that one server does not.
    mutating func mergeClients() {
        merge(
            [.clientsBlocked],
            alike: {
                $0.scope.clients == $1.scope.clients && $0.scope.ports == $1.scope.ports && $0.answer == $1.answer
            }
        ) {
            scope, group in
            scope.servers = AddressPrefix.covering(group.compactMap(\.scope.servers?.address))
            return true
        }
        merge([.clientsBlocked], alike: { $0.scope.clients == $1.scope.clients && $0.answer == $1.answer }) {
            scope, group in
            scope.servers = AddressPrefix.covering(group.compactMap(\.scope.servers?.address))
            scope.ports = Array(Set(group.flatMap(\.scope.ports))).sorted()
            return scope.ports.count <= 8 && group.allSatisfy { !$0.scope.ports.isEmpty }
        }
    }

    /// Merges what happens on the way or at the clients: it happens at every server that they try.
    mutating func mergePaths() {
        let causes = self
        merge(
            [
                .portReuseCollision, .sequenceRewritten, .resetByMiddlebox, .answersLost, .finalAcksLost, .clientResets,
                .fastOpenBlackholed, .asymmetricRouting, .optionsStripped, .synProxy, .mssClamped,
            ], alike: { $0.scope.clients == $1.scope.clients }, least: 2, allowsWell: true
        ) { scope, group in
            scope.servers = nil
            scope.ports = []
            return causes.isAll(scope, group)
        }
    }

    /// Whether all attempts of a scope, from the first to the last time, are in one of its parts.
    private func isAll(_ scope: Scope, _ parts: [Situation]) -> Bool {
        let first = parts.map(\.window.lowerBound).min() ?? 0
        let last = parts.map(\.window.upperBound).max() ?? 0
        return observations.indices.allSatisfy { position in
            let observation = observations[position]
            let (server, client) = (server(position), client(position))
            return !observation.isDecided || observation.time < first || observation.time > last
                || !scope.contains(server, client) || parts.contains { $0.scope.contains(server, client) }
        }
    }

    /// Takes situations together that are alike and overlap in time, where nothing in the wider scope went well
    /// meanwhile.
    /// - Parameters:
    ///   - least: so many of them at the least.
    ///   - allowsWell: whether the scope need not be without what went well.
    ///   - widen: makes the scope of all; false where there is none.
    private mutating func merge(
        _ codes: Set<SituationCode>, alike: (Situation, Situation) -> Bool, least: Int = Search.least,
        allowsWell: Bool = false, widen: (inout Scope, [Situation]) -> Bool
    ) {
        var left = situations
        var merged: [Situation] = []
        while let first = left.first {
            left.removeFirst()
            guard codes.contains(first.code) else {
                merged.append(first)
                continue
            }
            var span = first.window
            var group = [first]
            for other in left where other.code == first.code && alike(first, other) && span.overlaps(other.window) {
                group.append(other)
                span = min(span.lowerBound, other.window.lowerBound)...max(span.upperBound, other.window.upperBound)
            }
            var scope = first.scope
            guard group.count >= least, widen(&scope, group), allowsWell || isNothingWell(in: scope, span, group) else {
                merged.append(first)
                continue
            }
            left.removeAll { other in group.contains(other) }
            var situation = first
            situation.scope = scope
            situation.attempts = group.reduce(0) { $0 + $1.attempts }
            situation.affected = group.reduce(0) { $0 + $1.affected }
            situation.window = span
            situation.evidence = Array(group.compactMap(\.evidence.first).prefix(3))
            situation.hosts = group.count
            situation.wellBefore = group.compactMap(\.wellBefore).max()
            situation.wellAfter = group.compactMap(\.wellAfter).min()
            situation.chance = group.compactMap(\.chance).max()
            situation.contrasts = combined(group)
            if group.contains(where: { $0.share != nil }) {
                situation.share = Statistics.interval(
                    Counts(attempts: situation.attempts, failures: situation.affected))
            }
            merged.append(situation)
        }
        replaceSituations(merged)
    }

    /// Whether, within a scope and a time, no attempt went well but those that the parts count themselves.
    private func isNothingWell(in scope: Scope, _ span: ClosedRange<Int64>, _ group: [Situation]) -> Bool {
        let spared = group.reduce(0) { $0 + $1.attempts - $1.affected }
        let well = observations.indices.filter { position in
            span.contains(observations[position].time) && observations[position].fate == .established
                && scope.contains(server(position), client(position))
        }
        return weight(well) <= spared
    }

    /// Contrasts that hold for all: other clients and other ports of each. Other servers are compared anew by nobody.
    private func combined(_ group: [Situation]) -> [Situation.Contrast] {
        [Situation.Contrast.Kind.otherClients, .otherPorts].compactMap { kind in
            let parts = group.flatMap(\.contrasts).filter { $0.kind == kind }
            return parts.isEmpty
                ? nil
                : .init(
                    kind: kind, attempts: parts.reduce(0) { $0 + $1.attempts },
                    affected: parts.reduce(0) { $0 + $1.affected })
        }
    }
}
