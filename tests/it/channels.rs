//! How much code a channel is.

use std::path::Path;

use heliograph_tests::root;

/// The most lines one channel may have: what a person reads in an afternoon.
const MOST: usize = 1199;

/// A server and a widget of its own, with sessions, a log of each visitor and files; the others are a codec each.
const EXEMPT: &str = "webchat";

#[test]
fn a_channel_is_small() {
    let mut large = Vec::new();
    let mut counted = 0;
    for entry in std::fs::read_dir(root().join("services/channels")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let lines = lines_of_code(&path.join("src"));
        counted += 1;
        if lines > MOST && name != EXEMPT {
            large.push(format!("{name}: {lines} lines"));
        }
    }
    assert!(counted > 9, "only {counted} channels were found");
    assert!(large.is_empty(), "channels of more than {MOST} lines:\n  {}", large.join("\n  "));
}

/// Lines that are neither blank nor comments alone, of everything but tests.
fn lines_of_code(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let counts = entries.map(|path| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name == "tests" {
            return 0;
        }
        if path.is_dir() {
            return lines_of_code(&path);
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            return 0;
        }
        code_in(&std::fs::read_to_string(&path).unwrap())
    });
    counts.sum()
}

fn code_in(source: &str) -> usize {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    source.lines().filter(is_code).count()
}

#[test]
fn blanks_comments_and_tests_are_no_code() {
    let source =
        "//! A.\n\nuse b; // c\n    /// d\nfn e() {}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n}\n";
    assert_eq!(code_in(source), 2);
}
