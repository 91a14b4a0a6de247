import HandshakeDiagnosis
import HandshakeRecord
import PacketWire
import Testing

@Suite("Whose name an answer or a reset comes in")
struct NameTests {
    private static func attempt(
        _ id: Int, _ client: Endpoint, _ server: Endpoint, _ outcome: Outcome, x: UInt32
    ) -> AttemptFacts {
        var attempt = AttemptFacts(
            id: UInt64(id + 1), client: client, server: server, clientISN: x,
            firstTime: 1_767_225_600_000_000_000 + Int64(id) * 100_000_000, outcome: outcome)
        attempt.failedBecause =
            switch outcome {
            case .refused: .refused
            case .unanswered: .noAnswer
            case .resetByClient: .clientReset
            default: nil
            }
        return attempt
    }

    private static func codes(_ attempts: [AttemptFacts]) -> [SituationCode] {
        var log = ObservationLog()
        for attempt in attempts { log.add(attempt) }
        return Diagnosis(log).situations.map(\.code)
    }

    private static let client = Endpoint(IPAddress(v4: 0x0a00_0009), 40_000)

    @Test("A scanner of one port and one x is answered by other ports of the same host: not from elsewhere")
    func scanner() {
        let host = IPAddress(v4: 0xc633_6401)
        let attempts = (0..<16).map { n in
            Self.attempt(
                n, Self.client, Endpoint(host, UInt16(n + 1)), n.isMultiple(of: 2) ? .unanswered : .refused, x: 7)
        }
        #expect(!Self.codes(attempts).contains(.answerFromElsewhere))
    }

    @Test("A scanner of several hosts is answered by those that it asked")
    func scannerOfHosts() {
        let attempts = (0..<12).map { n in
            Self.attempt(
                n, Self.client, Endpoint(IPAddress(v4: 0xc633_6401 + UInt32(n)), 80),
                n.isMultiple(of: 2) ? .unanswered : .refused, x: 7)
        }
        #expect(!Self.codes(attempts).contains(.answerFromElsewhere))
    }

    @Test("An answer of another address that acknowledges the SYN is from elsewhere")
    func elsewhere() {
        let (called, answering) = (IPAddress(v4: 0xc633_6401), IPAddress(v4: 0xc633_6402))
        let attempts = (0..<16).map { n in
            let client = Endpoint(Self.client.address, UInt16(40_000 + n / 2))
            let isAnswer = !n.isMultiple(of: 2)
            var attempt = Self.attempt(
                n, client, Endpoint(isAnswer ? answering : called, 443), isAnswer ? .partial : .unanswered,
                x: UInt32(n / 2 + 1))
            if isAnswer { attempt.findings = [.synackUnsolicited] }
            return attempt
        }
        #expect(Self.codes(attempts).contains(.answerFromElsewhere))
    }

    @Test(
        "Clients that reset what was begun in their names are no middlebox; many at once are a flood",
        arguments: [30, 300])
    func forgedSYNs(_ count: Int) {
        let server = Endpoint(IPAddress(v4: 0xc633_6401), 80)
        let attempts = (0..<count).map { n in
            let client = Endpoint(IPAddress(v4: 0x0a01_0000 + UInt32(n)), 40_000)
            var attempt = Self.attempt(n, client, server, .resetByClient, x: UInt32(n + 1))
            (attempt.findings, attempt.hasForeignResetOfClient) = ([.rstFromMiddlebox], true)
            return attempt
        }
        let codes = Self.codes(attempts)
        #expect(!codes.contains(.resetByMiddlebox))
        #expect(codes.contains(.flood) == (count == 300))
    }

    @Test("RSTs in a server's name that are not like its other packets are a middlebox's")
    func forgedResets() {
        let server = Endpoint(IPAddress(v4: 0xc633_6401), 80)
        let attempts = (0..<30).map { n in
            let client = Endpoint(IPAddress(v4: 0x0a01_0000 + UInt32(n)), 40_000)
            var attempt = Self.attempt(n, client, server, .resetByServer, x: UInt32(n + 1))
            attempt.failedBecause = .serverReset
            (attempt.findings, attempt.hasForeignReset) = ([.rstFromMiddlebox], true)
            return attempt
        }
        #expect(Self.codes(attempts) == [.resetByMiddlebox])
    }
}
