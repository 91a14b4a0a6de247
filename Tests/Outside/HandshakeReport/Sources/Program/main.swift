import Foundation
import HandshakeCapture
import HandshakeRecord
import HandshakeReport

let handshakes = try Handshakes(files: CommandLine.arguments[1])
let lines = try handshakes.attempts.map { try JSONEncoder().encode($0) }
for line in lines {
    let attempt = try JSONDecoder().decode(AttemptRecord.self, from: line)
    print(attempt.uid, attempt.server, attempt.outcome)
}
guard lines.count == handshakes.attempts.count, lines.count > 0 else { fatalError("no attempts") }
