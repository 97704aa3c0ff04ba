//! What a world may have wrong with it that no shell can make good: each must be seen by the judgement, or that is worth
//! nothing.

/// Ways in which a world breaks its promises. None of them by default.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flaws {
    /// The broker recognizes no id.
    pub(super) forgets_ids: bool,
    /// The broker writes keys whatever revision they have: leases and cursors are no fence.
    pub(super) swaps_blindly: bool,
    /// The broker acknowledges, and does not keep, each message of a sequence that is a multiple.
    pub(super) loses_one_in: Option<u64>,
    /// Readers miss one message in so many.
    pub(super) skips_one_in: Option<u64>,
    /// Readers get a message's time by their own clock, not by the log's.
    pub(super) tells_own_time: bool,
    /// What a stopped process had in its buffers leaves when it goes on, however long that was.
    pub(super) outlives_the_window: bool,
    /// Snapshots lose their last bytes, and say that they are whole.
    pub(super) tears_snapshots: bool,
    /// A reader that has once got no answer never reads again, and does not say so.
    pub(super) falls_silent: bool,
    /// The log is erased up to its end, and not behind the snapshots only.
    pub(super) erases_too_much: bool,
    /// The broker says that nothing stands where something does: writers do not wait for what is passed on.
    pub(super) hides_what_stands: bool,
}
