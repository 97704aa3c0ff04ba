//! The configuration of this process: every section there is, from every layer.

use std::path::{Path, PathBuf};

use heliograph_channel::host::HostSettings;
use heliograph_desk::DeskConfig;
use heliograph_egress::EgressConfig;
use heliograph_media::MediaSettings;
use heliograph_router::RouterConfig;
use heliograph_runtime::{
    ConfigError, Settings,
    config::{ENV_PREFIX, SettingsBuilder, mask_option},
};
use heliograph_streams::StreamsConfig;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    admin::AdminSettings,
    cli::Common,
    fleet::{ObjectSettings, WebchatOptions},
};

/// Where `heliograph dev` says how to reach it, below its data directory.
pub const DEV_FILE: &str = "dev.yaml";
/// The data directory of `heliograph dev` when none is given.
pub const DATA_DIR: &str = "data";

/// What a command is to the configuration: a service logs for collectors, a command for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Runs until told to stop.
    Service,
    /// Does one thing. Finds a development fleet of the current folder by itself.
    Command,
}

/// The section `client`: how commands reach the fleet's APIs.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientSettings {
    /// Where `EgressService` answers.
    pub egress: Option<String>,
    /// Bearer token shown to it.
    #[serde(serialize_with = "mask_option")]
    pub token: Option<SecretString>,
}

/// Every section any service reads, with no layer yet.
fn sections() -> SettingsBuilder {
    Settings::builder()
        .section::<HostSettings>("channel")
        .section::<AdminSettings>("admin")
        .section::<ClientSettings>("client")
        .section::<ObjectSettings>("objects")
        .section::<WebchatOptions>("webchat")
        .section::<MediaSettings>(heliograph_media::SECTION)
        .section::<RouterConfig>(heliograph_router::SECTION)
        .section::<EgressConfig>(heliograph_egress::SECTION)
        .section::<DeskConfig>(heliograph_desk::SECTION)
        .section::<StreamsConfig>(heliograph_streams::SECTION)
}

/// Collects the layers for a command line.
pub fn builder(common: &Common, purpose: Purpose) -> SettingsBuilder {
    let mut builder = sections();
    if purpose == Purpose::Command {
        builder = builder
            .default_value("telemetry.log_format", "text")
            .default_value("telemetry.log_filter", log_filter(common.verbose, "warn"))
            .default_value("telemetry.metrics", "false");
        if let Some(file) = development_file(common) {
            builder = builder.file(file);
        }
    } else if common.verbose > 0 {
        builder = builder.default_value("telemetry.log_filter", log_filter(common.verbose, "info"));
    }
    for file in &common.config {
        builder = builder.file(file);
    }
    builder = builder.process_env();
    if let Some(url) = &common.nats_url {
        builder = builder.flag("nats.url", url, "--nats-url");
    }
    if let Some(url) = &common.redis_url {
        builder = builder.flag("redis.url", url, "--redis-url");
    }
    builder
}

/// The configuration of a command.
pub fn load(common: &Common, purpose: Purpose) -> Result<Settings, ConfigError> {
    builder(common, purpose).load()
}

/// What is logged at a number of `-v`.
pub fn log_filter(verbose: u8, usual: &'static str) -> &'static str {
    match verbose {
        0 => usual,
        1 => "info,opentelemetry=warn",
        2 => "info,heliograph=debug,opentelemetry=warn",
        _ => "debug,h2=info,hyper=info,opentelemetry=warn",
    }
}

/// The file of a development fleet that runs in this folder, unless the caller says where to look.
fn development_file(common: &Common) -> Option<PathBuf> {
    let told = !common.config.is_empty()
        || common.nats_url.is_some()
        || std::env::var_os(format!("{ENV_PREFIX}NATS__URL")).is_some();
    let file = Path::new(DATA_DIR).join(DEV_FILE);
    (!told && file.is_file()).then_some(file)
}
