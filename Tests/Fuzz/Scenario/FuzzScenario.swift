import FuzzInputs
import HandshakeAnalysis
import HandshakeReport
import HandshakeScenario

/// A scenario of any text. Where it is one, it is written as text and read again, its frames are analysed, and what
/// comes of them is the same whichever way they go.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    guard let text = String(validating: FuzzInput.octets(start, count), as: UTF8.self) else { return 0 }
    let scenario: Scenario
    do throws(ScenarioErrors) {
        scenario = try Scenario(text: text, name: "fuzz.pkt")
    } catch {
        precondition(!error.diagnostics.isEmpty, "an error says what is wrong")
        for diagnostic in error.diagnostics { requireClean(diagnostic) }
        return 0
    }
    let frames = scenario.frames()
    // A line can make 64 KiB: what only takes long is not looked at.
    guard frames.count <= 1000, frames.reduce(0, { $0 + $1.octets.count }) <= 1 << 20 else { return 0 }
    let again: Scenario
    do throws(ScenarioErrors) {
        again = try Scenario(text: scenario.text, name: "again.pkt")
    } catch {
        preconditionFailure("its text is a scenario:\n\(scenario.text)\n\(error)")
    }
    precondition(again.frames().map(\.octets) == frames.map(\.octets), "its text makes the same frames")
    precondition(again.frames().map(\.time) == frames.map(\.time), "its text has the same times")
    precondition(again.text == scenario.text, "its text is the same text")
    for difference in scenario.check() { requireClean(difference) }
    // Small tables, for speed; only large ones are shared by workers. Each has room for all attempts.
    let lines = scenario.document(listsPlain: false, maximumAttempts: 2048)
    let plain = scenario.document(listsPlain: true, maximumAttempts: 2048)
    precondition(plain == lines, "plain attempts are written as any")
    let shared = scenario.document(listsPlain: true, workers: 2)
    precondition(shared == lines, "two workers find the same")
    precondition(FuzzInput.isClean(lines), "JSON is a clean text")
    return 0
}

private func requireClean(_ diagnostic: Diagnostic) {
    precondition(FuzzInput.isClean(diagnostic.description.cleaned(for: .message).utf8), "an error is a clean text")
}
