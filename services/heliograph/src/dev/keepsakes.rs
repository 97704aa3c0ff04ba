//! What a development fleet keeps in its data directory beside the brokers' data: its lock and its made-up secrets.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};

use crate::failure::Usage;

/// The secrets of a development fleet, drawn at its first start, so that sessions and scripts outlive restarts.
#[derive(Debug, Deserialize, Serialize)]
struct Secrets {
    session: String,
    admin: String,
    api: String,
}

/// A token of an API client, as `egress.api_tokens` and `streams.api_tokens` take it.
#[derive(Debug, Serialize)]
pub(super) struct ApiToken {
    token: String,
    tenant: String,
}

/// The data directory, ours alone while this lives.
#[derive(Debug)]
pub(super) struct Keepsakes {
    folder: PathBuf,
    secrets: Secrets,
    _lock: File,
}

impl Keepsakes {
    /// Opens the directory, making it and what is missing in it.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = fs::canonicalize(folder)?;
        let lock = File::create(folder.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = format!(
                    "a development fleet runs on {} already; --data-dir says another",
                    folder.display()
                );
                return Err(Usage(text).into());
            }
            Err(TryLockError::Error(error)) => {
                return Err(anyhow!(error).context("cannot lock the data directory"));
            }
        }
        let file = folder.join("secrets.json");
        let secrets = if let Ok(kept) = fs::read(&file) {
            serde_json::from_slice(&kept)
                .with_context(|| format!("{} cannot be read; delete it and start again", file.display()))?
        } else {
            let secrets = Secrets { session: drawn(), admin: drawn(), api: drawn() };
            write_private(&file, &serde_json::to_string_pretty(&secrets)?)?;
            secrets
        };
        Ok(Self { folder, secrets, _lock: lock })
    }

    /// The directory.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Signs the desk's sessions.
    pub(super) fn session_secret(&self) -> &str {
        &self.secrets.session
    }

    /// Opens `AdminService`.
    pub(super) fn admin_token(&self) -> &str {
        &self.secrets.admin
    }

    /// Opens a tenant's `EgressService` and `StreamService`.
    pub(super) fn api_token(&self, tenant: &str) -> String {
        format!("{tenant}-{}", self.secrets.api)
    }

    /// The tokens of several tenants.
    pub(super) fn api_tokens<'a>(&self, tenants: impl IntoIterator<Item = &'a str>) -> Vec<ApiToken> {
        let one = |tenant: &str| ApiToken { token: self.api_token(tenant), tenant: tenant.to_owned() };
        tenants.into_iter().map(one).collect()
    }
}

fn drawn() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Writes a file that nobody else on this machine reads.
pub(super) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Renders nested settings as the configuration file they are read from.
pub(super) fn as_yaml(settings: &BTreeMap<&str, serde_json::Value>) -> anyhow::Result<String> {
    Ok(serde_saphyr::to_string(settings)?)
}
