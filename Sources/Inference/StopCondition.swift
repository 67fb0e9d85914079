/// When a generation is over.
package struct StopCondition: Sendable {
    /// Tokens that end the turn; never part of the text.
    package let endTokens: Set<Int32>
    /// Most tokens to write.
    package let maximumTokens: Int

    /// Stops at any of `endTokens` or after `maximumTokens`.
    package init(endTokens: Set<Int32>, maximumTokens: Int) {
        self.endTokens = endTokens
        self.maximumTokens = maximumTokens
    }

    /// Why to stop before writing `token` as number `written` (0 for the first); nil to go on.
    package func reason(token: Int32, written: Int) -> FinishReason? {
        if endTokens.contains(token) { return .stop }
        return written >= maximumTokens ? .length : nil
    }
}
