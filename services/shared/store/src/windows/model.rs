//! A window, and all of a customer's windows on one account.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Millis;

/// A window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The channel's name for this kind of window, such as `message` or `ad`.
    pub kind: String,
    /// When the customer did what opened it.
    pub opened_at_ms: Millis,
    /// When it closes.
    pub expires_at_ms: Millis,
    /// How many messages it allows; none means any number.
    pub limit: Option<u32>,
    /// How many of them are used up.
    pub used: u32,
}

impl Window {
    /// A window that begins now and is unused.
    pub fn opened(kind: impl Into<String>, at_ms: Millis, ttl: Duration, limit: Option<u32>) -> Self {
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        Self {
            kind: kind.into(),
            opened_at_ms: at_ms,
            expires_at_ms: at_ms.saturating_add(ttl),
            limit,
            used: 0,
        }
    }

    /// How many messages are left; none means any number.
    pub fn remaining(&self) -> Option<u32> {
        self.limit.map(|limit| limit.saturating_sub(self.used))
    }

    /// Whether it has not closed yet, used up or not.
    pub fn is_open(&self, now_ms: Millis) -> bool {
        now_ms < self.expires_at_ms
    }

    /// Whether a message may be sent at this moment.
    pub fn allows(&self, now_ms: Millis) -> bool {
        self.is_open(now_ms) && self.remaining() != Some(0)
    }
}

/// Whether a message may be sent within the windows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowVerdict {
    /// It may.
    Granted {
        /// How many more may follow in all open windows together; none means any number.
        remaining: Option<u32>,
    },
    /// The last window closed at this time.
    Closed {
        /// When.
        expired_at_ms: Millis,
    },
    /// Windows are open, but their counts are used up.
    Exhausted {
        /// When the last of them will close.
        expires_at_ms: Millis,
    },
    /// The customer never wrote.
    Never,
}

/// A customer's windows on one account, at most one of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowSet {
    windows: Vec<Window>,
}

impl WindowSet {
    /// The windows, whether open or closed, ordered by kind.
    pub fn iter(&self) -> impl Iterator<Item = &Window> {
        self.windows.iter()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// Whether a message may be sent at this moment: one window that allows it is enough.
    pub fn allows(&self, now_ms: Millis) -> bool {
        self.windows.iter().any(|window| window.allows(now_ms))
    }

    /// The open window that matters to whoever writes: one without a count before one with messages left before one
    /// that is used up, and of equals the one that closes last.
    pub fn best(&self, now_ms: Millis) -> Option<&Window> {
        self.windows
            .iter()
            .filter(|window| window.is_open(now_ms))
            .max_by_key(|window| (window.allows(now_ms), window.limit.is_none(), window.expires_at_ms))
    }

    /// What these windows say to one more message.
    pub fn verdict(&self, now_ms: Millis) -> WindowVerdict {
        let open = || self.windows.iter().filter(|window| window.is_open(now_ms));
        let latest =
            |windows: &mut dyn Iterator<Item = &Window>| windows.map(|window| window.expires_at_ms).max();
        if self.allows(now_ms) {
            let left = open().try_fold(0, |sum: u32, window| Some(sum.saturating_add(window.remaining()?)));
            return WindowVerdict::Granted { remaining: left };
        }
        if let Some(expires_at_ms) = latest(&mut open()) {
            return WindowVerdict::Exhausted { expires_at_ms };
        }
        latest(&mut self.windows.iter())
            .map_or(WindowVerdict::Never, |expired_at_ms| WindowVerdict::Closed { expired_at_ms })
    }
}

impl FromIterator<Window> for WindowSet {
    /// Of several of one kind, the one that was opened last stays.
    fn from_iter<I: IntoIterator<Item = Window>>(windows: I) -> Self {
        let mut windows: Vec<Window> = windows.into_iter().collect();
        windows.sort_by(|a, b| (&a.kind, b.opened_at_ms).cmp(&(&b.kind, a.opened_at_ms)));
        windows.dedup_by(|later, first| later.kind == first.kind);
        Self { windows }
    }
}

#[cfg(test)]
mod tests {
    use super::{Window, WindowSet, WindowVerdict};
    use std::time::Duration;

    const HOUR: i64 = 3_600_000;

    fn window(kind: &str, at: i64, hours: u64, limit: Option<u32>) -> Window {
        Window::opened(kind, at, Duration::from_hours(hours), limit)
    }

    #[test]
    fn a_window_allows_until_it_closes_or_is_used_up() {
        let mut window = Window::opened("service", 1_000, Duration::from_secs(1), Some(2));
        assert!(window.allows(1_000));
        assert!(window.allows(1_999));
        assert!(!window.allows(2_000));
        window.used = 2;
        let verdict = |window: &Window| WindowSet::from_iter([window.clone()]).verdict(1_500);
        assert_eq!(verdict(&window), WindowVerdict::Exhausted { expires_at_ms: 2_000 });
        window.limit = None;
        assert_eq!(verdict(&window), WindowVerdict::Granted { remaining: None });
    }

    #[test]
    fn any_open_window_allows_and_the_best_is_shown() {
        let spent = Window { used: 3, ..window("menu", 0, 100, Some(3)) };
        let set: WindowSet = [window("message", 0, 24, None), window("ad", 0, 168, Some(20)), spent.clone()]
            .into_iter()
            .collect();
        let best = |hours: i64| set.best(hours * HOUR).map(|window| window.kind.as_str());
        assert_eq!(
            (best(1), best(25), best(150), best(168)),
            (Some("message"), Some("ad"), Some("ad"), None)
        );
        assert_eq!(set.verdict(HOUR), WindowVerdict::Granted { remaining: None });
        assert_eq!(set.verdict(30 * HOUR), WindowVerdict::Granted { remaining: Some(20) });
        assert_eq!(set.verdict(200 * HOUR), WindowVerdict::Closed { expired_at_ms: 168 * HOUR });
        let set = WindowSet::from_iter([spent]);
        assert_eq!(set.best(HOUR).map(|window| window.kind.as_str()), Some("menu"));
        assert_eq!(set.verdict(HOUR), WindowVerdict::Exhausted { expires_at_ms: 100 * HOUR });
        assert_eq!(WindowSet::default().verdict(0), WindowVerdict::Never);
    }

    #[test]
    fn of_one_kind_the_latest_counts() {
        let set: WindowSet =
            [window("message", 5, 1, None), window("message", 9, 1, None), window("message", 7, 1, None)]
                .into_iter()
                .collect();
        assert_eq!(set.iter().map(|window| window.opened_at_ms).collect::<Vec<_>>(), [9]);
    }
}
