//! An account of this channel.

use heliograph_channel::{AccountError, RawAccount, Secrets, Settings, standard_webhooks::Keyring};
use serde::Deserialize;
use url::Url;

use crate::template::{Template, TemplateSpec};

/// The name of the secrets that sign both ways: `whsec_…`, several while one is being rotated.
pub(crate) const SIGNING_SECRET: &str = "signing";

/// `spec.settings` of the resource.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Where our messages are posted: a URL, or a path below the account's `base_url`. Not with a template.
    url: Option<String>,
    /// The shape of a third party's API, instead of our own JSON.
    template: Option<TemplateSpec>,
    /// The most characters (code points) a text may have; 0: no limit.
    #[serde(default)]
    text_limit: u16,
}

/// What the channel makes of it.
#[derive(Debug)]
pub struct BottleSettings {
    pub(crate) keys: Keyring,
    pub(crate) out: Out,
    text_limit: u16,
}

/// How messages leave.
#[derive(Debug)]
pub(crate) enum Out {
    /// In our own JSON, signed, to this URL.
    Letter(String),
    /// In the third party's shape.
    Template(Box<Template>),
}

impl BottleSettings {
    pub(crate) fn template(&self) -> Option<&Template> {
        match &self.out {
            Out::Template(template) => Some(template),
            Out::Letter(_) => None,
        }
    }

    pub(crate) fn text_limit(&self) -> i32 {
        self.text_limit.into()
    }
}

impl Settings for BottleSettings {
    type Spec = Spec;

    fn build(spec: Spec, secrets: &Secrets, raw: &RawAccount) -> Result<Self, AccountError> {
        secrets.require(SIGNING_SECRET)?;
        let keys = Keyring::new(secrets.all(SIGNING_SECRET)).map_err(|error| {
            AccountError::new(format!("spec.secrets.{SIGNING_SECRET}"), error.to_string())
        })?;
        let out = match (spec.url, spec.template) {
            (Some(url), None) => Out::Letter(absolute("spec.settings.url", &url, raw)?),
            (None, Some(template)) => Out::Template(Box::new(Template::build(template, secrets, raw)?)),
            (Some(_), Some(_)) => {
                let problem =
                    "cannot stand beside `template`, which has a `url` of its own; remove one of them";
                return Err(AccountError::new("spec.settings.url", problem));
            }
            (None, None) => {
                let problem =
                    "is missing: where messages are posted, e.g. `url: https://example.com/messages`";
                return Err(AccountError::new("spec.settings.url", problem));
            }
        };
        Ok(Self { keys, out, text_limit: spec.text_limit })
    }
}

/// `url` in full: a path, `/out` or `out`, is put below the account's `base_url`.
pub(crate) fn absolute(field: &str, url: &str, raw: &RawAccount) -> Result<String, AccountError> {
    let full = match (&raw.base_url, url.contains("://")) {
        (_, true) => url.to_owned(),
        (Some(base), false) => {
            format!("{}/{}", base.as_str().trim_end_matches('/'), url.trim_start_matches('/'))
        }
        (None, false) => {
            return Err(AccountError::new(field, "is a path, so the account needs a `base_url`"));
        }
    };
    match Url::parse(&full) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => Ok(full),
        _ => Err(AccountError::new(field, "is not an http or https URL")),
    }
}
