/// The text of `synscope explain` on an outcome, a finding or a situation.
public struct Explanation: Hashable, Sendable {
    /// A line without full stop.
    public let title: String
    /// What it means.
    public let meaning: String
    /// How it is recognised.
    public let recognition: String
    /// The standard's section.
    public let reference: String
    /// What brings it about.
    public let causes: String
    /// What to do next.
    public let next: String

    package init(
        title: String, meaning: String, recognition: String, reference: String, causes: String, next: String
    ) {
        (self.title, self.meaning, self.recognition) = (title, meaning, recognition)
        (self.reference, self.causes, self.next) = (reference, causes, next)
    }
}
