@testable import HandshakeAnalysis
import Testing

/// The steps that the short way takes, beside the machine's.
@Suite struct ShortStepTests {
    @Test(
        "Each step of the short way leads to the machine's state, and to the same events",
        arguments: [
            [HandshakeEvent.synAck], [.synAck, .finalAck], [.synAck, .finalData], [.synAck, .finalAck, .clientMore],
            [.synAck, .finalAck, .serverMore], [.synAck, .finalData, .serverMore, .clientMore],
        ])
    func steps(_ events: [HandshakeEvent]) {
        var entry = Entry()
        entry.stage = .synSent
        var machine = HandshakeMachine(.synSent)
        var seen = EventSet()
        seen.insert(.syn)
        for event in events {
            entry.advance(by: event)
            _ = machine.receive(event)
            seen.insert(event)
            #expect(entry.stage.state == machine.state, "after \(event)")
            #expect(entry.events == seen, "after \(event)")
        }
    }

    @Test("What ends an attempt in the short way is what ends it in the machine", arguments: [false, true])
    func ends(byData: Bool) {
        var entry = Entry()
        entry.stage = .synSent
        entry.advance(by: .synAck)
        entry.advance(by: byData ? .finalData : .finalAck)
        for event in [HandshakeEvent.confirmation, .clientFin, .serverFin] {
            var machine = HandshakeMachine(entry.stage.state)
            #expect(machine.receive(event) == .close, "\(event)")
        }
    }
}
