//! Service configuration: addresses, credentials and limits, never tenant data.
//!
//! Four layers, the later ones win: defaults, files, environment (`HELIOGRAPH__SECTION__KEY`), command-line flags. A key
//! nobody knows is an error, and so is a value of the wrong kind; both name the key and where it was set.
//!
//! ```
//! use heliograph_runtime::config::Settings;
//!
//! let settings = Settings::builder()
//!     .env([("HELIOGRAPH__HTTP__ADDR", "127.0.0.1:9000")])
//!     .load()?;
//! assert_eq!(settings.http.addr.port(), 9000);
//! # Ok::<(), heliograph_runtime::ConfigError>(())
//! ```

mod common;
mod error;
mod layers;
mod masked;
mod node;
mod settings;
#[cfg(test)]
mod tests;
mod values;

pub use common::{
    ChannelEndpoint, GrpcSettings, HttpSettings, LogFormat, NatsSettings, RedisSettings, ShutdownSettings,
    TelemetrySettings, TlsSettings,
};
pub use error::ConfigError;
pub use masked::{Entry, Masked};
pub use settings::{ENV_PREFIX, Settings, SettingsBuilder};
pub use values::{SecretUrl, duration, mask, mask_option};
