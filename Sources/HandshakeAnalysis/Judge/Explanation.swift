/// What `synscope explain` says of an outcome or a finding.
public struct Explanation: Sendable {
    public let title: String
    public let meaning: String
    /// How it is recognised.
    public let recognition: String
    /// The standard's section.
    public let reference: String
    public let causes: String
    /// What to do next.
    public let next: String
}
