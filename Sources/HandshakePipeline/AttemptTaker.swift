package import HandshakeRecord

/// Takes attempts as they are decided.
package protocol AttemptTaker {
    /// Why it takes no more.
    associatedtype Failure: Error

    /// Takes an attempt that was decided.
    mutating func take(_ record: AttemptRecord) throws(Failure)

    /// Takes a plain attempt.
    /// - Parameter record: makes its record.
    mutating func take(_ plain: PlainAttempt, record: () -> AttemptRecord) throws(Failure)
}

extension AttemptTaker {
    package mutating func take(_ plain: PlainAttempt, record: () -> AttemptRecord) throws(Failure) {
        try take(record())
    }
}

/// Watches how far the reading of files is.
package protocol ReadingObserver {
    /// Called for each batch, or piece of several.
    /// - Parameter progress: octets that were read, and all there are; nil where that cannot be known.
    mutating func tick(_ progress: () -> (done: Int64, all: Int64)?)

    /// Attempts are about to be handed out, or the end has come: what is shown has to go.
    mutating func hide()
}

/// Nobody watches.
package struct NoObserver: ReadingObserver {
    package init() {}
    package mutating func tick(_ progress: () -> (done: Int64, all: Int64)?) {}
    package mutating func hide() {}
}
