//! The scenarios that come with the code.

use std::path::{Path, PathBuf};

use crate::Scenario;

/// Every scenario of a folder of the samples, with its file's name.
#[allow(clippy::disallowed_methods, reason = "a test reads files")]
pub(super) fn samples(folder: &str) -> Vec<(String, Scenario)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/samples/simulate").join(folder);
    let mut files: Vec<PathBuf> = root.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
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
