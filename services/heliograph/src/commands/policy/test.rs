//! `heliograph policy test`.

use std::path::{Path, PathBuf};

use clap::Args;
use heliograph_domain::resources::{CalendarSpec, ChannelPolicySpec, Problems, Spec, parse};
use heliograph_policy::{
    Calendars,
    suite::{self, Report, Subject, SuiteError, TestFile},
};
use heliograph_runtime::exit;
use serde_json::json;

use crate::{admin::AdminError, commands::resources, failure::Usage, output};

/// How files of tests end.
const TESTS: &str = ".tests.yaml";

/// Flags of `policy test`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without files of tests, acme.tests.yaml beside acme.yaml is run, or if there is none every *.tests.yaml there. \
No broker is needed.
Exit code 1 when a test fails, or with --mutate when a mistake goes unnoticed.

Examples:
  heliograph policy test -f acme.yaml
  heliograph policy test -f acme.yaml acme.tests.yaml --json
  heliograph policy test -f acme.yaml --mutate"
)]
pub struct TestArgs {
    /// Files of tests
    #[arg(value_name = "TESTS")]
    pub tests: Vec<PathBuf>,
    /// The file with the policy and its calendars
    #[arg(short, long = "file", value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// The policy's name, where there are several and the tests do not say
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// Make small mistakes in the policy, and list those that no test notices
    #[arg(long)]
    pub mutate: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A policy of the files that were named.
struct Declared {
    tenant: String,
    name: String,
    spec: ChannelPolicySpec,
}

/// Runs the tests; 1 when one fails.
pub(super) fn run(args: &TestArgs) -> anyhow::Result<u8> {
    let (policies, calendars) = declared(&args.files)?;
    let files = tests(args)?;
    let mut passed = true;
    for (policy, files) in assigned(args, &policies, files)? {
        let own = own(&calendars, &policy.tenant);
        let subject = Subject::new(&policy.name, 0, policy.spec.clone(), &own).map_err(AdminError::from)?;
        let report = suite::run(&subject, &files);
        let survivors = args.mutate.then(|| suite::survivors(&policy.name, &policy.spec, &own, &files));
        let mutants = args.mutate.then(|| suite::mutants(&policy.spec, &own).count());
        passed &= report.passed() && survivors.as_ref().is_none_or(Vec::is_empty);
        if args.json {
            output::json(&json!({
                "tenant": policy.tenant, "policy": policy.name, "report": report,
                "mutants": mutants, "survivors": survivors,
            }))?;
        } else {
            print(policy, &report, mutants.zip(survivors.as_deref()))?;
        }
    }
    Ok(if passed { exit::OK } else { exit::FAILURE })
}

/// A calendar: whose, its name, what it says.
type Named = (String, String, CalendarSpec);

/// The policies and calendars of files, checked together.
fn declared(files: &[String]) -> anyhow::Result<(Vec<Declared>, Vec<Named>)> {
    let (mut documents, mut calendars) = (Vec::new(), Vec::new());
    for manifest in resources::read(files)? {
        for document in parse(&manifest.file, &manifest.text).map_err(AdminError::from)? {
            let metadata = &document.resource.metadata;
            match &document.resource.spec {
                Spec::ChannelPolicy(_) => documents.push(document),
                Spec::Calendar(spec) => {
                    calendars.push((metadata.tenant.clone(), metadata.name.clone(), spec.clone()));
                }
                _ => {}
            }
        }
    }
    if documents.is_empty() {
        return Err(Usage(format!("there is no ChannelPolicy in {}", files.join(", "))).into());
    }
    let (mut policies, mut problems) = (Vec::new(), Vec::new());
    for document in documents {
        let Spec::ChannelPolicy(spec) = &document.resource.spec else { continue };
        let metadata = &document.resource.metadata;
        for fault in heliograph_policy::check(spec, &own(&calendars, &metadata.tenant)) {
            let mut problem = document.problem(&fault.path, fault.message);
            problem.suggestion = fault.suggestion;
            problems.push(problem);
        }
        let (tenant, name) = (metadata.tenant.clone(), metadata.name.clone());
        policies.push(Declared { tenant, name, spec: spec.clone() });
    }
    if problems.is_empty() { Ok((policies, calendars)) } else { Err(Problems(problems).into()) }
}

/// A tenant's calendars.
fn own(calendars: &[Named], tenant: &str) -> Calendars {
    let own = calendars.iter().filter(|(owner, ..)| owner == tenant);
    own.map(|(_, name, spec)| (name.clone(), spec.clone())).collect()
}

/// The files of tests that were named, or those beside the policy.
fn tests(args: &TestArgs) -> anyhow::Result<Vec<TestFile>> {
    let mut paths = args.tests.clone();
    if paths.is_empty() {
        for file in args.files.iter().filter(|file| *file != "-") {
            paths.extend(beside(Path::new(file))?);
        }
        paths.sort();
        paths.dedup();
    }
    if paths.is_empty() {
        return Err(Usage(format!("there is no file *{TESTS} beside the policy; name one")).into());
    }
    let read = |path: &PathBuf| {
        let name = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|error| Usage(format!("cannot read {name}: {error}")))?;
        suite::parse(&name, &text).map_err(anyhow::Error::from)
    };
    paths.iter().map(read).collect()
}

/// Tests in the folder of a policy: those that bear the name of its file, or all if none does.
fn beside(policy: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = policy.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unreadable =
        |error: std::io::Error| Usage(format!("cannot read beside {}: {error}", policy.display()));
    let mut found = Vec::new();
    for entry in folder.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.to_string_lossy().ends_with(TESTS) {
            found.push(path);
        }
    }
    let stem = format!("{}.", policy.file_stem().unwrap_or_default().to_string_lossy());
    let bears =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&stem));
    if found.iter().any(bears) {
        found.retain(bears);
    }
    Ok(found)
}

/// Which tests are about which policy.
fn assigned<'a>(
    args: &TestArgs,
    policies: &'a [Declared],
    files: Vec<TestFile>,
) -> anyhow::Result<Vec<(&'a Declared, Vec<TestFile>)>> {
    let mut assigned: Vec<(&Declared, Vec<TestFile>)> = Vec::new();
    for file in files {
        let name = file.policy.as_ref().or(args.policy.as_ref());
        let policy = match (name, policies) {
            (Some(name), _) => policies.iter().find(|policy| policy.name == *name),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let Some(policy) = policy else {
            let names: Vec<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
            let problem = format!("`policy` says which of {} the tests are about", names.join(", "));
            return Err(SuiteError { file: file.file, line: 0, column: 0, problem }.into());
        };
        match assigned.iter_mut().find(|(known, _)| std::ptr::eq(*known, policy)) {
            Some((_, files)) => files.push(file),
            None => assigned.push((policy, vec![file])),
        }
    }
    Ok(assigned)
}

fn print(policy: &Declared, report: &Report, mutation: Option<(usize, &[String])>) -> anyhow::Result<()> {
    for failure in &report.failures {
        output::line(&format!("{failure}\n"))?;
    }
    let (failed, name) = (report.failures.len(), &policy.name);
    output::line(&format!("policy {name}: {} cases passed, {failed} failed", report.cases - failed))?;
    output::line(&format!("coverage: {}", report.coverage))?;
    if let Some((count, survivors)) = mutation {
        for mistake in survivors {
            output::line(&format!("unnoticed: {mistake}"))?;
        }
        let living = survivors.len();
        output::line(&format!("mistakes: {} of {count} were noticed, {living} were not", count - living))?;
    }
    Ok(())
}
