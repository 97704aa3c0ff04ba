#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{ConfigError, LogFormat, Settings, SettingsBuilder, duration, mask};

/// A service's own section, as a service would write it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Egress {
    lanes: u16,
    hosts: Vec<String>,
    #[serde(serialize_with = "mask")]
    token: SecretString,
    retry: Retry,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Retry {
    attempts: u32,
    #[serde(with = "duration")]
    first_delay: Duration,
}

impl Default for Egress {
    fn default() -> Self {
        Self { lanes: 64, hosts: Vec::new(), token: SecretString::from(""), retry: Retry::default() }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 5, first_delay: Duration::from_secs(1) }
    }
}

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

fn builder() -> SettingsBuilder {
    Settings::builder().section::<Egress>("egress")
}

fn entry(settings: &Settings, key: &str) -> (serde_json::Value, String) {
    let masked = settings.masked();
    let entry = masked.entries.iter().find(|entry| entry.key == key).unwrap_or_else(|| panic!("no {key}"));
    (entry.value.clone(), entry.source.clone())
}

#[test]
fn nothing_set_means_defaults() {
    let settings = builder().load().unwrap();
    assert_eq!(settings.nats.url.expose(), "nats://127.0.0.1:4222");
    assert_eq!(settings.section::<Egress>("egress").unwrap().lanes, 64);
    assert_eq!(settings.origin("nats.url"), None);
    assert_eq!(entry(&settings, "egress.retry.first_delay"), ("1s".into(), "defaults".to_owned()));
}

#[test]
fn later_layers_win_key_by_key() {
    let files = Files::new();
    let yaml = files.write("a.yaml", "http: { addr: '127.0.0.1:1', body_limit: 10 }\negress: { lanes: 1 }\n");
    let toml = files.write("b.toml", "[http]\nbody_limit = 20\nheader_read_timeout = '250ms'\n");
    let settings = builder()
        .default_value("http.request_timeout", "7s")
        .default_value("http.addr", "127.0.0.1:9")
        .file(&yaml)
        .file(&toml)
        .env([("HELIOGRAPH__HTTP__HEADER_READ_TIMEOUT", "3"), ("HELIOGRAPH__HTTP__IDLE_TIMEOUT", "2m")])
        .flag("http.idle_timeout", "90s", "--idle")
        .load()
        .unwrap();
    assert_eq!(settings.http.request_timeout, Duration::from_secs(7));
    assert_eq!(settings.http.addr.port(), 1);
    assert_eq!(settings.http.body_limit, 20);
    assert_eq!(settings.http.header_read_timeout, Duration::from_secs(3));
    assert_eq!(settings.http.idle_timeout, Duration::from_secs(90));
    assert!(settings.origin("http.addr").unwrap().ends_with("a.yaml"));
    assert!(settings.origin("http.body_limit").unwrap().ends_with("b.toml"));
    assert_eq!(
        settings.origin("http.header_read_timeout"),
        Some("environment variable HELIOGRAPH__HTTP__HEADER_READ_TIMEOUT")
    );
    assert_eq!(entry(&settings, "http.idle_timeout"), ("90s".into(), "flag --idle".to_owned()));
    assert_eq!(entry(&settings, "egress.lanes").0, 1);
}

#[test]
fn an_unknown_key_names_itself_its_source_and_its_neighbour() {
    let files = Files::new();
    let path = files.write("conf.yaml", "egress:\n  lanes: 3\n  retry: { atempts: 3 }\n");
    let error = builder().file(&path).load().unwrap_err();
    let ConfigError::UnknownKey { key, origin, nearest } = &error else { panic!("{error:?}") };
    assert_eq!(key, "egress.retry.atempts");
    assert!(origin.ends_with("conf.yaml"), "{origin}");
    assert_eq!(nearest.as_deref(), Some("egress.retry.attempts"));
    assert!(error.to_string().contains("did you mean `egress.retry.attempts`?"), "{error}");
}

#[test]
fn an_unknown_section_is_an_error_wherever_it_comes_from() {
    let error = builder().env([("HELIOGRAPH__NAT__URL", "nats://x")]).load().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown key `nat` (from environment variable HELIOGRAPH__NAT__URL); did you mean `nats`?"
    );
    let error = builder().env([("HELIOGRAPH__ZEPPELINS__SPEED", "1")]).load().unwrap_err();
    assert!(matches!(error, ConfigError::UnknownKey { nearest: None, .. }), "{error}");
    let error = Settings::builder().env([("HELIOGRAPH__EGRESS__LANES", "1")]).load().unwrap_err();
    assert!(matches!(&error, ConfigError::UnknownKey { key, .. } if key == "egress"), "{error}");
}

#[test]
fn an_unknown_variable_is_found_inside_a_table_that_a_file_made() {
    let files = Files::new();
    let path = files.write("conf.yaml", "redis: { url: 'redis://a' }\n");
    let error = builder().file(&path).env([("HELIOGRAPH__REDIS__URI", "redis://b")]).load().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown key `redis.uri` (from environment variable HELIOGRAPH__REDIS__URI); did you mean `redis.url`?"
    );
}

#[test]
fn a_wrong_value_names_key_and_source_and_keeps_the_value_to_itself() {
    for (name, value) in [
        ("HELIOGRAPH__EGRESS__LANES", "s3cret"),
        ("HELIOGRAPH__EGRESS__LANES", "70000"),
        ("HELIOGRAPH__HTTP__ADDR", "s3cret"),
        ("HELIOGRAPH__HTTP__REQUEST_TIMEOUT", "s3cret"),
        ("HELIOGRAPH__TELEMETRY__LOG_FORMAT", "s3cret"),
        ("HELIOGRAPH__TELEMETRY__METRICS", "s3cret"),
        ("HELIOGRAPH__TELEMETRY__SAMPLE_RATIO", "1.5"),
        ("HELIOGRAPH__NATS", "s3cret"),
        ("HELIOGRAPH__NATS__URL", "s3cret"),
        ("HELIOGRAPH__NATS__PASSWORD", r#"{"a": "s3cret"}"#),
    ] {
        let error = builder().env([(name, value)]).load().unwrap_err();
        let ConfigError::Invalid { key, origin, .. } = &error else { panic!("{name}: {error:?}") };
        assert_eq!(super::settings::variable(key), name);
        assert_eq!(*origin, format!("environment variable {name}"));
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn a_required_key_that_is_missing_says_how_to_set_it() {
    let error = builder().env([("HELIOGRAPH__HTTP__TLS__CERT_FILE", "/tls.crt")]).load().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`http.tls.key_file` is not set; set it in a file or as HELIOGRAPH__HTTP__TLS__KEY_FILE"
    );
}

#[test]
fn secrets_are_masked_and_still_there() {
    let settings = builder()
        .env([
            ("HELIOGRAPH__NATS__URL", "nats://u:s3cret@a:4222,nats://s3cret@b:4222"),
            ("HELIOGRAPH__NATS__PASSWORD", "s3cret"),
            ("HELIOGRAPH__REDIS__URL", "redis://:s3cret@h:6379/1"),
            ("HELIOGRAPH__EGRESS__TOKEN", "s3cret"),
        ])
        .load()
        .unwrap();
    assert_eq!(settings.nats.password.as_ref().unwrap().expose_secret(), "s3cret");
    assert_eq!(settings.section::<Egress>("egress").unwrap().token.expose_secret(), "s3cret");
    let shown = format!("{}{}", settings.masked(), serde_json::to_string(&settings.masked()).unwrap());
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(shown.contains("redis://:********@h:6379/1"), "{shown}");
    assert!(!format!("{settings:?}").contains("s3cret"), "{settings:?}");
}

#[test]
fn a_password_in_any_url_is_masked_when_printed() {
    let settings = builder()
        .env([("HELIOGRAPH__HTTP__PUBLIC_BASE_URL", "https://u:s3cret@example.org/")])
        .load()
        .unwrap();
    assert_eq!(entry(&settings, "http.public_base_url").0, "https://u:********@example.org/");
}

#[test]
fn text_from_the_environment_becomes_what_its_key_wants() {
    let settings = builder()
        .env([
            ("HELIOGRAPH__NATS__PASSWORD", "007"),
            ("HELIOGRAPH__NATS__USER", ""),
            ("HELIOGRAPH__TELEMETRY__METRICS", "off"),
            ("HELIOGRAPH__TELEMETRY__LOG_FORMAT", "text"),
            ("HELIOGRAPH__TELEMETRY__SAMPLE_RATIO", "0.25"),
            ("HELIOGRAPH__EGRESS__HOSTS", "a, b"),
            ("HELIOGRAPH__CHANNELS", r#"{"two-way": {"endpoint": "http://a:1"}}"#),
            ("HELIOGRAPH__CHANNELS__SMS__ENDPOINT", "http://sms:9090"),
            ("HELIOGRAPH_CONFIG", "passed over"),
            ("PATH", "passed over"),
        ])
        .load()
        .unwrap();
    assert_eq!(settings.nats.password.as_ref().unwrap().expose_secret(), "007");
    assert_eq!(settings.nats.user, None);
    assert!(!settings.telemetry.metrics);
    assert_eq!(settings.telemetry.log_format, LogFormat::Text);
    assert!((settings.telemetry.sample_ratio - 0.25).abs() < f64::EPSILON);
    assert_eq!(settings.section::<Egress>("egress").unwrap().hosts, ["a", "b"]);
    let endpoints: BTreeMap<_, _> =
        settings.channels.iter().map(|(name, channel)| (name.as_str(), channel.endpoint.as_str())).collect();
    assert_eq!(endpoints, BTreeMap::from([("sms", "http://sms:9090"), ("two-way", "http://a:1")]));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let files = Files::new();
    let missing = files.0.path().join("none.yaml");
    let broken = files.write("broken.yaml", "http: [unclosed\n");
    for path in [missing, broken] {
        let error = builder().file(&path).load().unwrap_err();
        assert!(matches!(&error, ConfigError::File { path: named, .. } if *named == path), "{error:?}");
    }
}

#[test]
fn a_malformed_variable_is_refused() {
    let error = builder().env([("HELIOGRAPH__HTTP____ADDR", "x")]).load().unwrap_err();
    assert!(error.to_string().contains("HELIOGRAPH__HTTP____ADDR"), "{error}");
}

#[test]
fn spans_of_time_read_as_they_print() {
    #[derive(Deserialize, Serialize)]
    struct Holder(#[serde(with = "duration")] Duration);

    for (text, millis, printed) in [
        ("500ms", 500, "500ms"),
        ("10s", 10_000, "10s"),
        ("10", 10_000, "10s"),
        ("1.5s", 1_500, "1500ms"),
        ("5m", 300_000, "5m"),
        ("2 h", 7_200_000, "2h"),
        ("90s", 90_000, "90s"),
        ("0s", 0, "0s"),
    ] {
        let holder: Holder = serde_json::from_value(text.into()).unwrap();
        assert_eq!(holder.0, Duration::from_millis(millis), "{text}");
        assert_eq!(serde_json::to_value(&holder).unwrap(), printed, "{text}");
    }
    for text in ["", "s", "-1s", "ten", "1d", "1.2.3s", "99999999999999999999999h"] {
        assert!(serde_json::from_value::<Holder>(text.into()).is_err(), "{text}");
    }
}
