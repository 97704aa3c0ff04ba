//! From settings to connections.

use std::time::Duration;

use heliograph_channel::host::HostSettings;
use heliograph_fabric::{ConnectError, Credentials, Fabric, Options};
use heliograph_runtime::{ConfigError, Settings, config::NatsSettings};
use heliograph_store::{Redis, RedisError, RedisOptions};

use crate::{
    admin::{Admin, AdminError, AdminSettings, Rules},
    failure::Unconfigured,
};

/// How long a command looks for the broker. A person is waiting; services wait longer.
const COMMAND_PATIENCE: Duration = Duration::from_secs(3);

/// How to reach the broker as `name`.
pub fn options(settings: &NatsSettings, name: &str) -> Options {
    let credentials = match (&settings.credentials_file, &settings.user) {
        (Some(file), _) => Credentials::File(file.clone()),
        (None, Some(user)) => Credentials::UserPassword {
            user: user.clone(),
            password: settings.password.clone().unwrap_or_default(),
        },
        (None, None) => Credentials::None,
    };
    let urls = settings.url.expose().split(',').map(|url| url.trim().to_owned()).collect();
    Options { urls, name: name.to_owned(), credentials, ..Options::default() }
}

/// Connects a service to the broker.
pub async fn fabric(settings: &Settings, name: &str) -> Result<Fabric, ConnectError> {
    Fabric::connect(options(&settings.nats, name)).await
}

/// Connects a command to the broker; gives up soon.
pub async fn command_fabric(settings: &Settings) -> Result<Fabric, ConnectError> {
    let options = options(&settings.nats, &format!("{}-cli", settings.nats.name));
    Fabric::connect(Options { connect_within: COMMAND_PATIENCE, ..options }).await
}

/// Connects to Redis, or begins to.
pub async fn redis(settings: &Settings) -> Result<Redis, RedisError> {
    Redis::connect(&RedisOptions::new(settings.redis.url.expose())).await
}

/// How resources are taken on this fleet.
pub fn rules(settings: &Settings) -> Result<Rules, ConfigError> {
    let host: HostSettings = settings.section("channel")?;
    let admin: AdminSettings = settings.section("admin")?;
    let channels = settings.channels.keys().cloned().collect();
    Ok(Rules { inline_secrets: host.inline_secrets, sandbox: admin.sandbox, channels })
}

/// The operators' functions, for a command.
pub async fn admin(settings: &Settings) -> anyhow::Result<Admin> {
    let fabric = command_fabric(settings).await?;
    match Admin::open(&fabric, rules(settings)?).await {
        Err(AdminError::Provision(error @ heliograph_fabric::ProvisionError::NotProvisioned(_))) => {
            Err(Unconfigured(error.to_string()).into())
        }
        outcome => Ok(outcome?),
    }
}
