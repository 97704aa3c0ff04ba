//! Virus scanning, by a scanner beside us: clamd or any ICAP server.
//!
//! It fails closed. Where a scanner is configured, a file that it did not call clean is not stored: one that it found
//! something in never will be, one that it could not be asked about has to come again.

mod clamd;
mod icap;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use clamd::ClamdConfig;
pub use icap::IcapConfig;

/// Which scanner is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanConfig {
    /// ClamAV's daemon.
    Clamd(ClamdConfig),
    /// A scanner that speaks ICAP (RFC 3507), such as c-icap with squidclamav, or a vendor's.
    Icap(IcapConfig),
}

/// How long a scan may take unless the configuration says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

fn patience() -> Duration {
    PATIENCE
}

/// What the scanner says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// Something was, and how the scanner calls it.
    Infected(String),
    /// The scanner does not take files like it, and never will; why.
    NotScannable(String),
}

/// Why there is no verdict. The file has to come again.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The scanner cannot be reached, or broke off.
    #[error("the virus scanner is away: {0}")]
    Away(#[source] std::io::Error),
    /// It took too long.
    #[error("the virus scanner did not answer in time")]
    Slow,
    /// It answered something that is no verdict.
    #[error("the virus scanner answered {0:?}")]
    Protocol(String),
}

/// A scanner. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Scanner(ScanConfig);

impl Scanner {
    /// The scanner that `config` names. It is asked for the first time when a file comes.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: ScanConfig) -> Result<Self, String> {
        match &config {
            ScanConfig::Clamd(clamd) => clamd.check()?,
            ScanConfig::Icap(icap) => icap.check()?,
        }
        Ok(Self(config))
    }

    /// Asks about a file.
    ///
    /// # Errors
    /// When there is no verdict. Nothing may be given out then.
    pub async fn scan(&self, content: &[u8]) -> Result<Verdict, ScanError> {
        let (within, asked) = match &self.0 {
            ScanConfig::Clamd(config) => {
                (config.timeout, tokio::time::timeout(config.timeout, clamd::scan(config, content)).await)
            }
            ScanConfig::Icap(config) => {
                (config.timeout, tokio::time::timeout(config.timeout, icap::scan(config, content)).await)
            }
        };
        asked.unwrap_or_else(|_| {
            tracing::warn!(?within, "the virus scanner did not answer in time");
            Err(ScanError::Slow)
        })
    }
}

#[cfg(test)]
mod tests;
