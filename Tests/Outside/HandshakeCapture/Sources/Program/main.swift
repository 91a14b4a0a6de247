import HandshakeCapture
import HandshakeRecord

let handshakes = try Handshakes(files: CommandLine.arguments[1])
for attempt in handshakes.attempts.prefix(3) { print(attempt.server, attempt.outcome) }
for situation in handshakes.situations { print(situation.code, situation.affected) }
var count = 0
let summary = try Handshakes.read(files: [CommandLine.arguments[1]]) { _ in count += 1 }
guard count == handshakes.attempts.count, summary == handshakes.summary else {
    fatalError("read another way, other attempts")
}
do {
    _ = try LiveHandshakes(on: "no-such-interface")
} catch let error as HandshakesError {
    print(error)
}
