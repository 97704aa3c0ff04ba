//! The layers, merged and checked.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use config::{Config, File, Value, ValueKind};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    ChannelEndpoint, ConfigError, GrpcSettings, HttpSettings, NatsSettings, RedisSettings, ShutdownSettings,
    TelemetrySettings,
    error::nearest,
    layers::Pairs,
    masked::Masked,
    node::{deepest, read},
};

/// What environment variables that belong to the configuration start with.
pub const ENV_PREFIX: &str = "HELIOGRAPH__";

/// The environment variable that sets `key`.
pub(super) fn variable(key: &str) -> String {
    format!("{ENV_PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

/// Reads a section, and renders it with its defaults filled in and its secrets masked.
type Check = fn(&Value, &str) -> Result<serde_json::Value, ConfigError>;

fn check<T: DeserializeOwned + Serialize>(
    value: &Value,
    name: &str,
) -> Result<serde_json::Value, ConfigError> {
    let section: T = read(value, name)?;
    serde_json::to_value(&section).map_err(|error| ConfigError::Invalid {
        key: name.to_owned(),
        origin: "defaults".to_owned(),
        reason: error.to_string(),
    })
}

/// What is in force: the sections that every target shares, and the raw tree for the rest.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How to reach NATS.
    pub nats: NatsSettings,
    /// How to reach Redis.
    pub redis: RedisSettings,
    /// The HTTP server.
    pub http: HttpSettings,
    /// The gRPC server.
    pub grpc: GrpcSettings,
    /// Logs, traces and metrics.
    pub telemetry: TelemetrySettings,
    /// How the process stops.
    pub shutdown: ShutdownSettings,
    /// Where each channel's `ChannelService` answers, by the channel's name.
    pub channels: BTreeMap<String, ChannelEndpoint>,
    tree: Tree,
}

/// The merged layers, and what became of them with defaults filled in. Its `Debug` shows nothing: the raw values hold
/// secrets.
#[derive(Clone)]
struct Tree {
    raw: Value,
    effective: BTreeMap<&'static str, serde_json::Value>,
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.effective.keys()).finish()
    }
}

impl Settings {
    /// Starts with the common sections and no layer at all.
    pub fn builder() -> SettingsBuilder {
        let mut sections: BTreeMap<&'static str, Check> = BTreeMap::new();
        sections.insert("nats", check::<NatsSettings>);
        sections.insert("redis", check::<RedisSettings>);
        sections.insert("http", check::<HttpSettings>);
        sections.insert("grpc", check::<GrpcSettings>);
        sections.insert("telemetry", check::<TelemetrySettings>);
        sections.insert("shutdown", check::<ShutdownSettings>);
        sections.insert("channels", check::<BTreeMap<String, ChannelEndpoint>>);
        SettingsBuilder {
            sections,
            defaults: Pairs::default(),
            files: Vec::new(),
            variables: Vec::new(),
            flags: Pairs::default(),
        }
    }

    /// A service's own section. One that was never set reads as an empty table, so give every field a default
    /// (`#[serde(default, deny_unknown_fields)]`).
    pub fn section<T: DeserializeOwned>(&self, name: &str) -> Result<T, ConfigError> {
        read(&at(&self.tree.raw, &[name]).cloned().unwrap_or_default(), name)
    }

    /// Where `key` (`section.key`) was set; `None` when its default is in force.
    pub fn origin(&self, key: &str) -> Option<&str> {
        let path: Vec<&str> = key.split('.').collect();
        deepest(at(&self.tree.raw, &path)?).origin()
    }

    /// Everything in force, secrets masked, each key with its source.
    pub fn masked(&self) -> Masked {
        Masked::new(&self.tree.effective, |path| {
            at(&self.tree.raw, path).and_then(|value| deepest(value).origin()).map(str::to_owned)
        })
    }
}

/// The value at `path`. Below a list there is no path: the list itself is meant.
fn at<'a>(mut value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    for part in path {
        match &value.kind {
            ValueKind::Table(table) => value = table.get(*part)?,
            ValueKind::Array(_) | ValueKind::String(_) => return Some(value),
            _ => return None,
        }
    }
    Some(value)
}

/// Collects layers; [`load`](Self::load) merges and checks them.
#[derive(Clone, Debug)]
pub struct SettingsBuilder {
    sections: BTreeMap<&'static str, Check>,
    defaults: Pairs,
    files: Vec<PathBuf>,
    variables: Vec<(String, String)>,
    flags: Pairs,
}

impl SettingsBuilder {
    /// Makes `name` a known section, read as `T`. It is checked by [`load`](Self::load), whether or not its service
    /// runs in this process, and printed by [`Settings::masked`]; mask its secrets with
    /// [`mask`](super::mask).
    #[must_use]
    pub fn section<T: DeserializeOwned + Serialize>(mut self, name: &'static str) -> Self {
        self.sections.insert(name, check::<T>);
        self
    }

    /// Replaces a built-in default, below every other layer: `heliograph dev` differs from `run` in these.
    #[must_use]
    pub fn default_value(mut self, key: &str, value: &str) -> Self {
        self.defaults.set(key, value, "defaults");
        self
    }

    /// Adds a YAML or TOML file, told apart by its extension. Later files win.
    #[must_use]
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        self.files.push(path.as_ref().to_owned());
        self
    }

    /// Adds environment variables given by the caller; those that do not start with `HELIOGRAPH__` are passed over.
    #[must_use]
    pub fn env<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.variables.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Adds the environment of this process. Variables that are not Unicode are passed over.
    #[must_use]
    pub fn process_env(self) -> Self {
        let variables = std::env::vars_os();
        self.env(
            variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// Sets one key above every other layer. `flag` is the command-line flag it came from, for messages.
    #[must_use]
    pub fn flag(mut self, key: &str, value: &str, flag: &str) -> Self {
        self.flags.set(key, value, &format!("flag {flag}"));
        self
    }

    /// Merges the layers and checks every section.
    pub fn load(self) -> Result<Settings, ConfigError> {
        let raw = self.merge()?;
        let ValueKind::Table(table) = &raw.kind else { unreachable!("merging starts from an empty table") };
        let mut names: Vec<&String> = table.keys().collect();
        names.sort();
        for name in names {
            if !self.sections.contains_key(name.as_str()) {
                return Err(ConfigError::UnknownKey {
                    key: name.clone(),
                    origin: deepest(&table[name]).origin().unwrap_or("defaults").to_owned(),
                    nearest: nearest(name, self.sections.keys().copied()).map(str::to_owned),
                });
            }
        }
        let empty = Value::default();
        let section = |name: &str| table.get(name).unwrap_or(&empty);
        let mut effective = BTreeMap::new();
        for (name, check) in &self.sections {
            effective.insert(*name, check(section(name), name)?);
        }
        Ok(Settings {
            nats: read(section("nats"), "nats")?,
            redis: read(section("redis"), "redis")?,
            http: read(section("http"), "http")?,
            grpc: read(section("grpc"), "grpc")?,
            telemetry: read(section("telemetry"), "telemetry")?,
            shutdown: read(section("shutdown"), "shutdown")?,
            channels: read(section("channels"), "channels")?,
            tree: Tree { raw, effective },
        })
    }

    fn merge(&self) -> Result<Value, ConfigError> {
        let mut builder = Config::builder().add_source(self.defaults.clone());
        for path in &self.files {
            // Each file is tried alone first: the merged error would not say which file is at fault.
            let file = File::from(path.as_path());
            Config::builder()
                .add_source(file.clone())
                .build()
                .map_err(|error| ConfigError::File { path: path.clone(), reason: error.to_string() })?;
            builder = builder.add_source(file);
        }
        let merged = builder
            .add_source(Pairs::from_env(&self.variables)?)
            .add_source(self.flags.clone())
            .build()
            .map_err(|error| ConfigError::Invalid {
                key: String::new(),
                origin: "the merged configuration".to_owned(),
                reason: error.to_string(),
            })?;
        Ok(merged.cache)
    }
}
