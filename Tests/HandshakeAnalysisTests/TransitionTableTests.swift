import Foundation
import HandshakeAnalysis
import Testing

/// The state machine's whole table, as text: a change of behaviour is a change of Golden/transitions.txt.
/// `SYNSCOPE_UPDATE_GOLDEN=1 swift test --filter TransitionTableTests` (or `make golden`) writes it anew.
@Suite("The transition table")
struct TransitionTableTests {
    static let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/transitions.txt")

    static var table: String {
        var lines = ["# state                event                     -> next state             action"]
        for state in HandshakeState.allCases {
            for event in HandshakeEvent.allCases {
                var machine = HandshakeMachine(state)
                let action = machine.receive(event)
                let left = pad("\(state)", 22) + " " + pad("\(event)", 25)
                lines.append("\(left) -> \(pad("\(machine.state)", 22)) \(name(action))")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func name(_ action: HandshakeAction) -> String {
        if case .complete(let how) = action { return "complete (\(how))" }
        return "\(action)"
    }

    @Test("Every state and event does what the golden file says")
    func matchesGolden() throws {
        let now = TransitionTableTests.table
        if ProcessInfo.processInfo.environment["SYNSCOPE_UPDATE_GOLDEN"] != nil {
            try now.write(to: TransitionTableTests.file, atomically: true, encoding: .utf8)
        }
        let golden = try String(contentsOf: TransitionTableTests.file, encoding: .utf8).split(separator: "\n")
        let lines = now.split(separator: "\n")
        #expect(golden.count == lines.count)
        for (was, current) in zip(golden, lines) { #expect(was == current) }
    }
}
