//! Where a server's program is: the environment's word, then `.tools/bin` of the checkout, then PATH.

use std::env;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::ServerError;

/// Finds the first of `programs`. `variable` names an environment variable that, when set, settles it.
pub(super) fn program(
    variable: &'static str,
    programs: &'static [&'static str],
) -> Result<PathBuf, ServerError> {
    if let Some(path) = env::var_os(variable).filter(|value| !value.is_empty()) {
        let path = PathBuf::from(path);
        return if is_executable(&path) {
            Ok(path)
        } else {
            Err(ServerError::NotExecutable { variable, path })
        };
    }
    tools_directories()
        .into_iter()
        .chain(path_directories())
        .find_map(|directory| first_in(&directory, programs))
        .ok_or(ServerError::NotFound { program: programs[0], variable })
}

/// The program of that name on PATH.
pub(super) fn on_path(program: &str) -> Option<PathBuf> {
    path_directories().into_iter().find_map(|directory| first_in(&directory, &[program]))
}

/// Every `.tools/bin` upward from where we are, from the crate under test, and from our own program: a test runs in its
/// crate's folder, a user runs the binary from anywhere.
fn tools_directories() -> Vec<PathBuf> {
    let starts = [
        env::current_dir().ok(),
        env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from),
        env::current_exe().ok(),
    ];
    starts
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .map(|folder| folder.join(".tools").join("bin"))
        .filter(|folder| folder.is_dir())
        .collect()
}

fn path_directories() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

/// The first of `programs` in `directory`, made absolute: the child may run elsewhere.
fn first_in(directory: &Path, programs: &[&str]) -> Option<PathBuf> {
    programs
        .iter()
        .map(|program| directory.join(program))
        .find(|path| is_executable(path))
        .and_then(|path| std::path::absolute(path).ok())
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_missing_program_says_how_to_get_it() {
        let error = program("HELIOGRAPH_NO_SUCH_VARIABLE", &["no-such-server"]).unwrap_err();
        assert!(error.to_string().contains("make tools"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_executable_is_not_a_program() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("server"), "").unwrap();
        assert_eq!(first_in(folder.path(), &["server"]), None);
    }
}
