import FuzzInputs
import HandshakeAnalysis
import HandshakeExpectation
import HandshakeReport

/// An expression of any octets, as `-Y` takes it and as `-e` does. Where it is one, it is asked of attempts, and what
/// it says is compared with what the logic demands.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    let text = String(decoding: FuzzInput.octets(start, count), as: UTF8.self)
    do throws(ExpressionError) {
        let predicate = try Predicate(text)
        let truths = FuzzInput.attempts.map { predicate($0) }
        requireNegation(of: text, truths)
        requireQuantifiers(of: text, truths)
    } catch {
        precondition(FuzzInput.isClean(error.description.cleaned(for: .message).utf8), "an error is a clean text")
    }
    do throws(ExpressionError) {
        FuzzInput.judge([try Rule(text)], choice: count)
    } catch {
        precondition(FuzzInput.isClean(error.description.cleaned(for: .message).utf8), "an error is a clean text")
    }
    return 0
}

/// `not` of an expression is an expression, and the opposite.
private func requireNegation(of text: String, _ truths: [Truth]) {
    guard let negation = within({ () throws(ExpressionError) in try Predicate("not (\(text))") }) else { return }
    precondition(FuzzInput.attempts.map { negation($0) } == truths.map { !$0 }, "not is the opposite")
}

/// `all` and `none` pass where the expression is known of every attempt, and of none that nobody vouches for.
private func requireQuantifiers(of text: String, _ truths: [Truth]) {
    func status(_ name: String, _ records: [AttemptRecord]) -> Judgement.Status? {
        guard let assertion = within({ () throws(ExpressionError) in try Assertion("\(name)((\(text)))") }) else {
            return nil
        }
        var trial = Trial(assertion)
        for record in records { trial.take(record) }
        return trial.judgement().status
    }
    let vouched = zip(FuzzInput.attempts, truths).filter { !$0.0.isDoubtful }
    for (name, wanted) in [("all", Truth.yes), ("none", .no)] {
        guard let some = status(name, vouched.map(\.0)), let every = status(name, FuzzInput.attempts) else { return }
        precondition((some == .passed) == vouched.allSatisfy { $0.1 == wanted }, "\(name) is of every attempt")
        precondition(every != .passed || some == .passed, "nothing passes by more attempts")
    }
}

/// - Returns: nil where an expression became too long, or too deep, by what was put around it.
private func within<Result>(_ make: () throws(ExpressionError) -> Result) -> Result? {
    do throws(ExpressionError) {
        return try make()
    } catch {
        let isBound = error.message.contains("levels inside each other") || error.message.contains("is longer than")
        precondition(isBound, "an expression stays one within parentheses: \(error)")
        return nil
    }
}
