//! The scenarios that come with the code.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::Scenario;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

#[allow(clippy::disallowed_methods, reason = "a test reads files")]
fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// Every scenario of a folder of the samples, with its file's name.
#[allow(clippy::disallowed_methods, reason = "a test reads files")]
pub(super) fn samples(folder: &str) -> Vec<(String, Scenario)> {
    let folder = root().join("deploy/samples/simulate").join(folder);
    let mut files: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let read = |file: PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let scenario = Scenario::read(&name, &std::fs::read_to_string(&file).unwrap());
        (name, scenario.unwrap_or_else(|problems| panic!("{problems}")))
    };
    files.into_iter().map(read).collect()
}

#[test]
fn every_sample_is_read_and_checks_what_it_should() {
    assert!(!samples("").is_empty());
    let erlang = samples("erlang");
    assert_eq!(erlang.len(), 5);
    assert!(
        erlang
            .iter()
            .all(|(_, scenario)| scenario.check.closed_form.is_some_and(|within| within.get() <= 0.02))
    );
    let optimum = samples("optimum");
    assert_eq!(optimum.len(), 7);
    let near =
        |scenario: &Scenario| scenario.check.optimum.as_ref().is_some_and(|asked| asked.within.get() <= 0.05);
    assert!(optimum.iter().all(|(_, scenario)| near(scenario)));
}

#[test]
fn scenarios_in_the_documentation_are_read() {
    let mut count = 0;
    for name in ["tutorial/staffing.md", "reference/scenarios.md"] {
        let page = page(name);
        for block in page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            Scenario::read(name, block).unwrap_or_else(|problems| panic!("{problems}\n{block}"));
            count += 1;
        }
    }
    assert_eq!(count, 3);
}

/// The first cells of the table below a heading, as far as they are code.
fn listed(page: &str, heading: &str) -> BTreeSet<String> {
    let section = page.split(&format!("\n{heading}\n")).nth(1).unwrap().split("\n#").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).map(str::to_owned).collect()
}

#[test]
fn the_reference_lists_every_field() {
    let page = page("reference/scenarios.md");
    let base = "name: s\nlength: 1h\nqueues:\n  chat: {}\nwork:\n  - name: w\n    queue: chat\n    arrivals: { every: 1s }\n    \
                service: { fixed: 1s }\nagents:\n  - name: a\n    count: 1\n    queues: [chat]\n";
    for (heading, text) in [
        ("## The scenario", format!("{base}nonsense: 1\n")),
        ("## Work", base.replace("    queue: chat", "    nonsense: 1")),
        ("## Agents", base.replace("    count: 1", "    nonsense: 1")),
    ] {
        let problem = Scenario::read("s.yaml", &text).unwrap_err().to_string();
        let fields = problem.split("expected one of ").nth(1).unwrap().split(';').next().unwrap();
        let fields: BTreeSet<String> = fields.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert_eq!(listed(&page, heading), fields, "{heading}");
    }
}
