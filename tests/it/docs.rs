//! What the documentation says, held to what is: links, resources, commands, settings, events.

mod markdown;
mod reference;

use std::{collections::BTreeSet, path::Path, process::Output};

use heliograph_domain::{
    event::type_of,
    ids,
    resources::{Context, Document, Resource, parse, validate},
};
use heliograph_proto::v1::{Event, SubscribeResponse};
use heliograph_testkit::servers::NatsServer;
use heliograph_tests::{process::binary, root};
use serde_json::Value;
use tokio::process::Command;

use markdown::{Block, Page, blocks, cells, code, links, page, pages, slug};

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut checked = 0;
    let mut broken = Vec::new();
    for page in &pages {
        let folder = root().join(&page.name).parent().unwrap().to_owned();
        for link in links(&page.prose()) {
            if link.contains("://") {
                continue;
            }
            checked += 1;
            let (file, anchor) = link.split_once('#').map_or((link.as_str(), None), |(f, a)| (f, Some(a)));
            let target = if file.is_empty() { root().join(&page.name) } else { folder.join(file) };
            let Ok(target) = target.canonicalize() else {
                broken.push(format!("{}: {link}", page.name));
                continue;
            };
            let name = target.strip_prefix(root().canonicalize().unwrap());
            let name = name.map(|name| name.display().to_string()).unwrap_or_default();
            let known = pages.iter().find(|page| page.name == name).map(Page::anchors).unwrap_or_default();
            if anchor.is_some_and(|anchor| !known.contains(anchor)) {
                broken.push(format!("{}: {link} (no such heading)", page.name));
            }
        }
    }
    assert!(checked > 20, "only {checked} links were found");
    assert!(broken.is_empty(), "broken links:\n  {}", broken.join("\n  "));
}

#[test]
fn every_make_target_exists() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let exists = |target: &str| makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
    let mut named = BTreeSet::new();
    for page in pages() {
        let shell = page.blocks().into_iter().filter(|block| block.language == "sh");
        let lines = shell.flat_map(|block| block.text.lines().map(str::to_owned).collect::<Vec<_>>());
        let prose = page.prose();
        for line in lines.chain(code(&prose)) {
            if let Some(target) = line.strip_prefix("make ").and_then(|rest| rest.split_whitespace().next()) {
                named.insert((target.to_owned(), page.name.clone()));
            }
        }
    }
    assert!(named.len() > 3, "hardly any target was found: {named:?}");
    let missing: Vec<_> = named.iter().filter(|(target, _)| !exists(target)).collect();
    assert!(missing.is_empty(), "no such targets: {missing:?}");
}

#[test]
fn json_is_json_and_events_are_events() {
    let blocks = blocks("json");
    assert!(blocks.len() > 5);
    for Block { at, text, .. } in blocks {
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{at}: {error}"));
        if json.get("sequence").is_some() {
            serde_json::from_value::<SubscribeResponse>(json).unwrap_or_else(|error| panic!("{at}: {error}"));
        } else if json.get("tenant").is_some() && json.get("type").is_some() {
            let event: Event = serde_json::from_value(json).unwrap_or_else(|error| panic!("{at}: {error}"));
            assert_eq!(event.r#type, type_of(&event.payload.unwrap()), "{at}");
        }
    }
}

/// The sample tenant that the documents' resources belong to.
fn sample() -> String {
    std::fs::read_to_string(root().join("deploy/samples/acme.yaml")).unwrap()
}

fn channels() -> Vec<String> {
    let folders = std::fs::read_dir(root().join("services/channels")).unwrap();
    folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn manifests() -> Vec<Block> {
    let blocks = blocks("yaml");
    blocks.into_iter().filter(|block| block.text.contains("apiVersion: heliograph.dev/v1")).collect()
}

#[test]
fn resources_are_valid() {
    let channels = channels();
    let channels: Vec<&str> = channels.iter().map(String::as_str).collect();
    let stored = parse("acme.yaml", &sample()).unwrap();
    let stored: Vec<Resource> = stored.into_iter().map(|document| document.resource).collect();
    let context = Context { channels: &channels, stored: &stored, dev: false };
    let manifests = manifests();
    assert!(manifests.len() > 5);
    for Block { at, text, .. } in manifests {
        let documents: Vec<Document> = parse(&at, &text).unwrap_or_else(|problems| panic!("{problems}"));
        validate(&documents, &context).unwrap_or_else(|problems| panic!("{at}: {problems}"));
    }
}

/// Runs the binary in a folder where no development fleet is found.
async fn heliograph(folder: &Path, args: &[&str], environment: &[(&str, String)]) -> Output {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HELIOGRAPH")) {
        command.env_remove(name);
    }
    let environment = environment.iter().map(|(name, value)| (*name, value));
    command.args(args).envs(environment).current_dir(folder).kill_on_drop(true).output().await.unwrap()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn apply_takes_every_resource() {
    /// As in `heliograph dev`: the sample's accounts name no addresses of their own.
    const SANDBOX: &str =
        r#"{"provider_base": "http://127.0.0.1:9999", "public_base": "http://127.0.0.1:8080"}"#;
    let nats = NatsServer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let environment = [
        ("HELIOGRAPH__NATS__URL", nats.url()),
        ("HELIOGRAPH__CHANNEL__INLINE_SECRETS", "true".to_owned()),
        ("HELIOGRAPH__ADMIN__SANDBOX", SANDBOX.to_owned()),
    ];
    let run = async |args: &[&str]| {
        let output = heliograph(folder.path(), args, &environment).await;
        assert!(output.status.success(), "{args:?}: {}", said(&output));
    };
    run(&["provision"]).await;
    std::fs::write(folder.path().join("acme.yaml"), sample()).unwrap();
    run(&["apply", "-f", "acme.yaml"]).await;
    for Block { at, text, .. } in manifests() {
        let file = format!("{}.yaml", at.replace(['/', ':', '.'], "-"));
        std::fs::write(folder.path().join(&file), text).unwrap();
        run(&["apply", "--dry-run", "-f", &file]).await;
    }
}

/// Words of a shell line, quotes taken off; up to what the shell does with the output.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut any) = (Vec::new(), String::new(), None, false);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '\'' | '"') => (quote, any) = (Some(letter), true),
            (None, '|' | '>' | ';') => break,
            (None, '#') if word.is_empty() && !any => break,
            (None, ' ') => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            _ => word.push(letter),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

/// Every `heliograph …` that a reader is told to type, with its place.
fn command_lines() -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for Block { at, text, .. } in blocks("sh") {
        for line in text.replace("\\\n", " ").lines() {
            let words = words(line);
            let mut words = words.into_iter().skip_while(|word| word.contains('=') && !word.starts_with('-'));
            if words.next().is_some_and(|first| first.rsplit('/').next() == Some("heliograph")) {
                found.push((at.clone(), words.collect()));
            }
        }
    }
    found
}

#[tokio::test]
async fn every_command_line_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let lines = command_lines();
    assert!(lines.len() > 20, "only {} command lines were found", lines.len());
    for (at, words) in lines {
        // What stands before `--help` is parsed and checked, and then nothing is done.
        let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
        args.push("--help");
        let output = heliograph(folder.path(), &args, &[]).await;
        assert!(output.status.success(), "{at}: heliograph {}: {}", words.join(" "), said(&output));
        let help = said(&output);
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(flag.as_str()), "{at}: {flag} is not in the help of {words:?}");
        }
    }
}

#[tokio::test]
async fn ids_are_derived_as_the_tutorial_says() {
    let tutorial = page("docs/tutorial/write-a-channel.md");
    let block = tutorial.blocks().into_iter().find(|block| block.text.contains("def event_id")).unwrap();
    let ask =
        "print(event_id('acme', 'radio', 'main', 'ext-1'), partition('acme', 'radio', 'main', 'ü-7', 16))";
    let script = format!("{}\n{ask}\n", block.text);
    let output = Command::new("python3").args(["-c", &script]).output().await.unwrap();
    let id = ids::derive(ids::EVENT, &["acme", "radio", "main", "ext-1"]);
    let partition = ids::partition(&["acme", "radio", "main", "ü-7"], 16);
    assert_eq!(said(&output).trim(), format!("{id} {partition}"));
}

/// Code without what formatting changes.
fn bare(code: &str) -> String {
    code.split_whitespace().collect::<String>().replace(",)", ")")
}

#[test]
fn the_tutorials_code_is_the_bottles() {
    let mut source = String::new();
    for folder in ["src", "tests/it"] {
        for entry in std::fs::read_dir(root().join("services/channels/bottle").join(folder)).unwrap() {
            source += &std::fs::read_to_string(entry.unwrap().path()).unwrap();
        }
    }
    let source = bare(&source);
    let blocks = page("docs/tutorial/write-a-channel.md").blocks();
    let blocks: Vec<Block> = blocks.into_iter().filter(|block| block.language == "rust").collect();
    assert!(blocks.len() > 2);
    for Block { at, text, .. } in blocks {
        // What is left out stands as a comment.
        for line in text.lines().filter_map(|line| line.split("/*").next()) {
            let comment = line.trim_start().starts_with("//");
            assert!(comment || source.contains(&bare(line)), "{at}: the bottle does not say {line:?}");
        }
    }
}

#[test]
fn words_are_taken_apart_as_a_shell_does() {
    assert_eq!(words("a --b 'c d' \"e\" | f"), ["a", "--b", "c d", "e"]);
    assert_eq!(words("a ''   # b"), ["a", ""]);
    assert_eq!(slug("At least once, in order"), "at-least-once-in-order");
    assert_eq!(cells("| `a\\|b` | c |"), ["`a|b`", "c"]);
}
