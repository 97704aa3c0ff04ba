//! The reference pages list what there is, all of it and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use heliograph_domain::{
    event::type_of,
    resources::{Kind, parse},
};
use heliograph_proto::v1::Event;
use heliograph_tests::root;
use serde_json::Value;

use super::{
    heliograph,
    markdown::{cells, code, page},
    said, words,
};

/// Long options in the help of a command, those of every command left out.
fn options(help: &str) -> BTreeSet<String> {
    let own = help.split("Common options:").next().unwrap_or_default();
    let own = own.split("Options:").nth(1).unwrap_or_default();
    let options = own.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let long = options.filter_map(|line| line.split([' ', ',', '=']).find(|word| word.starts_with("--")));
    long.map(str::to_owned).filter(|option| !["--help", "--version"].contains(&option.as_str())).collect()
}

#[tokio::test]
async fn the_reference_of_commands_lists_their_options() {
    let folder = tempfile::tempdir().unwrap();
    let reference = page("docs/reference/cli.md");
    let headings: Vec<&str> =
        reference.text.lines().filter(|line| line.starts_with("## heliograph ")).collect();
    let mut documented = BTreeSet::new();
    for heading in headings {
        let command: Vec<&str> = heading.trim_start_matches("## heliograph ").split(' ').collect();
        documented.insert(command[0].to_owned());
        let args: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let output = heliograph(folder.path(), &args, &[]).await;
        assert!(output.status.success(), "{heading}: {}", said(&output));
        let rows = reference.tables_below(heading);
        let flags = rows.iter().flat_map(|row| code(&row[0]));
        let words: Vec<String> = flags.flat_map(|flag| words(&flag)).collect();
        let listed: BTreeSet<String> = words.into_iter().filter(|word| word.starts_with("--")).collect();
        assert_eq!(listed, options(&said(&output)), "{heading}");
    }
    let all = said(&heliograph(folder.path(), &["--help"], &[]).await);
    let commands = all.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    let commands: BTreeSet<String> = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    assert_eq!(documented, commands);
}

#[tokio::test]
async fn the_reference_of_channels_is_what_the_code_can_do() {
    let folder = tempfile::tempdir().unwrap();
    let output = heliograph(folder.path(), &["channels", "--markdown"], &[]).await;
    assert!(output.status.success(), "{}", said(&output));
    let made = String::from_utf8(output.stdout).unwrap();
    let kept = page("docs/reference/channels.md");
    assert!(made == kept.text, "write it anew: heliograph channels --markdown > docs/reference/channels.md");
}

#[tokio::test]
async fn the_reference_of_settings_lists_every_key_with_its_default() {
    /// Keys whose defaults differ between services and commands; the command's stands last.
    const PURPOSE: [&str; 3] = ["telemetry.log_format", "telemetry.log_filter", "telemetry.metrics"];
    let folder = tempfile::tempdir().unwrap();
    let output = heliograph(folder.path(), &["config", "--json"], &[]).await;
    assert!(output.status.success(), "{}", said(&output));
    let in_force: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let shown = |value: &Value| match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let in_force: BTreeMap<String, String> = in_force
        .iter()
        .map(|entry| (entry["key"].as_str().unwrap().to_owned(), shown(&entry["value"])))
        .collect();
    let reference = page("docs/reference/configuration.md");
    let rows = reference.prose();
    let rows = rows.lines().filter(|line| line.starts_with("| `")).map(cells);
    let documented: BTreeMap<String, String> = rows
        .filter_map(|row| {
            let key = code(&row[0]).remove(0);
            let plain = key.contains('.') && !key.contains('<');
            let default = code(&row[1]);
            let default = if PURPOSE.contains(&key.as_str()) { default.last() } else { default.first() };
            plain.then(|| (key, default.cloned().unwrap_or_else(|| row[1].clone())))
        })
        .collect();
    let keys = |map: &BTreeMap<String, String>| map.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&documented), keys(&in_force));
    assert_eq!(documented, in_force);
}

/// The contract of events, as far as its text says it.
#[derive(Default)]
struct Contract {
    /// Fields of each message, by JSON name.
    fields: BTreeMap<String, BTreeSet<String>>,
    /// Payloads of an event: message and JSON name.
    payloads: Vec<(String, String)>,
}

fn contract() -> Contract {
    let text = std::fs::read_to_string(root().join("proto/heliograph/v1/event.proto")).unwrap();
    let mut contract = Contract::default();
    let (mut message, mut payload) = ("", false);
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("message ") {
            message = rest.split(' ').next().unwrap_or_default();
            contract.fields.entry(message.to_owned()).or_default();
        } else if line == "oneof payload {" {
            payload = true;
        } else if line == "}" {
            payload = false;
        } else if let Some((declared, _)) = line.split_once(" = ").filter(|_| !line.starts_with("//")) {
            let words: Vec<&str> = declared.split_whitespace().collect();
            let [.., kind, name] = words[..] else { continue };
            let name = json_name(name);
            if payload {
                contract.payloads.push((kind.to_owned(), name));
            } else {
                contract.fields.entry(message.to_owned()).or_default().insert(name);
            }
        }
    }
    contract
}

/// `provider_part_ids` → `providerPartIds`
fn json_name(field: &str) -> String {
    let mut parts = field.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let (head, tail) = part.split_at(1);
        name + &head.to_uppercase() + tail
    })
}

#[test]
fn the_reference_of_events_lists_every_type_with_its_fields() {
    let Contract { fields, payloads } = contract();
    assert!(payloads.len() > 20, "{payloads:?}");
    let real: BTreeMap<String, BTreeSet<String>> = payloads
        .iter()
        .map(|(kind, name)| {
            let json = serde_json::json!({ name: {} });
            let event: Event = serde_json::from_value(json).unwrap();
            (type_of(&event.payload.unwrap()).to_owned(), fields[kind].clone())
        })
        .collect();
    let reference = page("docs/reference/events.md");
    let rows = reference.tables_below("## Types");
    let documented: BTreeMap<String, BTreeSet<String>> = rows
        .iter()
        .filter(|row| row[0].starts_with('`'))
        .map(|row| (code(&row[0]).remove(0), code(&row[2]).into_iter().collect()))
        .collect();
    assert_eq!(documented, real);
}

/// The fields a kind's `spec` takes, as the parser says when it is given another.
fn spec_fields(kind: Kind) -> BTreeSet<String> {
    let text = format!(
        "apiVersion: heliograph.dev/v1\nkind: {kind}\nmetadata: {{ tenant: acme, name: x }}\nspec: {{ nothing_of_the_kind: 1 }}\n"
    );
    let problems = parse("x.yaml", &text).unwrap_err().to_string();
    let expected = problems.split("expected").nth(1).unwrap_or_else(|| panic!("{problems}"));
    code(expected).into_iter().collect()
}

#[test]
fn the_reference_of_resources_lists_every_field() {
    let reference = page("docs/reference/resources.md");
    for kind in Kind::ALL {
        let rows = reference.tables_below(&format!("## {kind}"));
        // The first table below its head; further ones say what stands in a field.
        let rows = rows.iter().skip(1).take_while(|row| row[0].starts_with('`'));
        let documented: BTreeSet<String> = rows.map(|row| code(&row[0]).remove(0)).collect();
        assert_eq!(documented, spec_fields(kind), "{kind}");
    }
}

/// Words between quotes that follow `marker` in a source file.
fn quoted_after(source: &str, marker: &str) -> BTreeSet<String> {
    let found = source.split(marker).skip(1);
    found.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn the_protocol_of_web_chat_lists_every_frame_and_close_code() {
    let source = |name: &str| {
        std::fs::read_to_string(root().join("services/channels/webchat/src").join(name)).unwrap()
    };
    let page = page("docs/reference/webchat-protocol.md");
    let first = |heading: &str| -> BTreeSet<String> {
        let rows = page.tables_below(heading);
        let rows = rows.iter().filter(|row| row[0].starts_with('`') || row[0].parse::<u16>().is_ok());
        rows.map(|row| row[0].trim_matches('`').to_owned()).filter(|cell| cell != "t").collect()
    };

    let frames = source("frame.rs");
    let variants = frames.split("pub(crate) enum Frame {").nth(1).and_then(|rest| rest.split("\n}").next());
    let variants = variants.unwrap().lines().filter_map(|line| {
        let name = line.strip_prefix("    ")?.split(['(', ' ', ',']).next()?;
        name.starts_with(char::is_uppercase).then(|| name.to_lowercase())
    });
    let client: BTreeSet<String> = variants.filter(|name| name != "unknown").collect();
    assert!(client.len() > 3, "{client:?}");
    assert_eq!(first("## From the client"), client);

    let server = quoted_after(&(source("socket.rs") + &source("item.rs")), "\"t\": \"");
    assert_eq!(first("## From the server"), server);

    let codes = frames.split(": u16 = ").skip(1).filter_map(|rest| rest.split(';').next());
    assert_eq!(first("## Close codes"), codes.map(str::to_owned).collect());
}

#[test]
fn every_metric_named_is_counted() {
    let mut folders = vec![root().join("services")];
    let mut counted = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name == "metrics.rs") {
                let source = std::fs::read_to_string(path).unwrap();
                counted.extend(quoted_after(&source, "\"heliograph."));
            }
        }
    }
    let prose = page("docs/how-to/operate.md").prose();
    let named: BTreeSet<String> = code(&prose)
        .iter()
        .filter_map(|name| name.strip_prefix("heliograph."))
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte)))
        .map(str::to_owned)
        .collect();
    assert!(named.len() > 5, "{named:?}");
    let unknown: Vec<_> = named.difference(&counted).collect();
    assert!(unknown.is_empty(), "nothing counts {unknown:?}");
}
