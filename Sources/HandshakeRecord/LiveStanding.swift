/// How a live run stands at a moment.
package struct LiveStanding: Sendable {
    package var summary = HandshakeSummary()
    package var loss = CaptureLoss()
    /// Attempts that are followed and not decided.
    package var open = 0
    /// Those of them that have waited for a while.
    package var waiting = WaitingAttempts()
    /// Interfaces that are waited for.
    package var waitingFor: [String] = []

    package init() {}
}
