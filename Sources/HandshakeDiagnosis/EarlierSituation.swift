/// A situation that was found before, as it was written: for a comparison with now.
package struct EarlierSituation: Sendable, Hashable {
    package var code: String
    /// As in JSON: an address or a network; nil for all.
    package var servers: String?
    package var ports: [UInt16]
    package var clients: String?
    package var attempts: Int
    package var affected: Int
    package var sentence: String

    package init(
        code: String, servers: String?, ports: [UInt16], clients: String?, attempts: Int, affected: Int,
        sentence: String
    ) {
        (self.code, self.servers, self.ports, self.clients) = (code, servers, ports, clients)
        (self.attempts, self.affected, self.sentence) = (attempts, affected, sentence)
    }

    func isOne(with situation: Situation) -> Bool {
        code == situation.code.rawValue && servers == situation.scope.servers?.description
            && ports == situation.scope.ports && clients == situation.scope.clients?.description
    }
}

/// Situations beside those of an earlier diagnosis.
package struct DiagnosisComparison: Sendable {
    package enum Change: String, Sendable {
        case new
        /// Its share is greater, or smaller, than chance would make it (Fisher's exact test, 1 in 100).
        case worse
        case better
        case same
    }

    /// The share must differ by less than this probability.
    private static let significance = 0.01
    private let earlier: [EarlierSituation]
    /// Situations that were there and are not any more.
    package let gone: [EarlierSituation]

    package init(_ earlier: [EarlierSituation], _ now: Diagnosis) {
        self.earlier = earlier
        gone = earlier.filter { before in !now.situations.contains(where: before.isOne) }
    }

    package func change(of situation: Situation) -> Change {
        guard let before = earlier.first(where: { $0.isOne(with: situation) }) else { return .new }
        let all = Counts(
            attempts: before.attempts + situation.attempts, failures: before.affected + situation.affected)
        func isHigher(_ attempts: Int, _ affected: Int) -> Bool {
            Statistics.fisher(Counts(attempts: attempts, failures: affected), of: all) < Self.significance
        }
        if isHigher(situation.attempts, situation.affected) { return .worse }
        return isHigher(before.attempts, before.affected) ? .better : .same
    }
}
