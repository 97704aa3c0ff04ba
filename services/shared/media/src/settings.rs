//! What an operator may set about media.

use std::time::Duration;

use heliograph_runtime::config::duration;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::ScanConfig;

/// The section `media`. Whatever takes media in or gives them out reads it: the media service, the desk, web chat,
/// streams, egress and channels.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaSettings {
    /// Largest medium that is taken in, in bytes.
    pub limit: u64,
    /// Bytes of media that a service holds in memory at a time while it takes them in; more have to wait. At least `limit`.
    pub memory: u64,
    /// How long fetching one medium may take.
    #[serde(with = "duration")]
    pub fetch_timeout: Duration,
    /// Media of one channel that are fetched at a time, by one replica.
    pub in_flight: usize,
    /// How long a medium that cannot be fetched is tried, from when its message came.
    #[serde(with = "duration")]
    pub give_up_after: Duration,
    /// How long a link lasts at least.
    #[serde(with = "duration")]
    pub link_lasts: Duration,
    /// Where `heliograph run media` is reached from outside, e.g. `https://media.example.com`. Integrators, channels, and
    /// customers whose channel cannot carry a file get links below it; without it they get none.
    pub public_url: Option<String>,
    /// Who is asked whether a file is harmful. Without it, nobody.
    pub scan: Option<ScanConfig>,
}

impl Default for MediaSettings {
    fn default() -> Self {
        Self {
            limit: 64 * 1024 * 1024,
            memory: 256 * 1024 * 1024,
            fetch_timeout: Duration::from_mins(1),
            in_flight: 8,
            give_up_after: Duration::from_hours(4 * 24),
            link_lasts: Duration::from_hours(24),
            public_url: None,
            scan: None,
        }
    }
}

impl MediaSettings {
    /// Refuses what cannot work; says which key is wrong.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.limit == 0 || self.in_flight == 0 || self.fetch_timeout.is_zero() {
            return Err("media.limit, media.in_flight, media.fetch_timeout: more than 0".to_owned());
        }
        if self.memory < self.limit {
            return Err("media.memory: at least media.limit, or the largest media never find room".to_owned());
        }
        if let Some(url) = &self.public_url {
            let url = Url::parse(url).ok();
            let good = url.is_some_and(|url| {
                matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none()
            });
            if !good {
                return Err("media.public_url: an http or https URL without query".to_owned());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::MediaSettings;

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        let refused = |change: fn(&mut MediaSettings)| {
            let mut settings = MediaSettings::default();
            change(&mut settings);
            settings.check().err().unwrap_or_default()
        };
        assert_eq!(refused(|_| {}), "");
        assert!(refused(|settings| settings.limit = 0).contains("media.limit"));
        assert!(refused(|settings| settings.memory = 1).contains("media.memory"));
        assert!(
            refused(|settings| settings.public_url = Some("ftp://a".to_owned())).contains("media.public_url")
        );
    }
}
