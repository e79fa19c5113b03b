//! Where the programs are that a run needs, looked up before anything is done.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::tools::cmd::Tool;

/// The programs of a run, each with its absolute path.
#[derive(Clone, Debug)]
pub struct Programs(BTreeMap<Tool, PathBuf>);

impl Programs {
    /// Looks `tools` up in `path`, the value of `PATH`.
    ///
    /// # Errors
    /// All that are missing, together.
    pub fn find(tools: impl IntoIterator<Item = Tool>, path: &OsStr) -> Result<Self, Missing> {
        let (found, missing) = Self::those_there(tools, path);
        if missing.is_empty() { Ok(found) } else { Err(Missing(missing)) }
    }

    /// Those of `tools` that are in `path`, and the others.
    pub fn those_there(
        tools: impl IntoIterator<Item = Tool>,
        path: &OsStr,
    ) -> (Self, Vec<MissingTool>) {
        let (mut found, mut missing) = (BTreeMap::new(), Vec::new());
        for tool in tools {
            match lookup(tool, path) {
                Some(program) => drop(found.insert(tool, program)),
                None => missing.push(MissingTool { tool, instead: what_is_there(tool, path) }),
            }
        }
        (Self(found), missing)
    }

    pub(super) fn path(&self, tool: Tool) -> Option<&Path> {
        self.0.get(&tool).map(PathBuf::as_path)
    }
}

/// Programs that a run needs and that cannot be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Missing(pub Vec<MissingTool>);

/// A program that cannot be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingTool {
    pub tool: Tool,
    /// What stands on `PATH` under its name, and why it is no program.
    pub instead: Option<String>,
}

impl Missing {
    /// How to get each of them, a line each.
    pub fn hint(&self) -> String {
        let hints: Vec<_> = self.0.iter().map(|missing| how_to_get(missing.tool)).collect();
        hints.join("\n")
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, MissingTool { tool, instead }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}cannot find `{}` on PATH", tool.name())?;
            if let Some(instead) = instead {
                write!(f, ": {instead}")?;
            }
        }
        Ok(())
    }
}

/// The first program of that name, with an absolute path: duct takes a relative one as `./NAME`.
fn lookup(tool: Tool, path: &OsStr) -> Option<PathBuf> {
    let mut all = which::which_in_global(tool.name(), Some(path)).ok()?;
    std::path::absolute(all.find(|program| !is_empty(program))?).ok()
}

/// A shell would be given it, do nothing and call that success.
fn is_empty(program: &Path) -> bool {
    program.metadata().is_ok_and(|metadata| metadata.len() == 0)
}

/// Tells why the first entry of the tool's name is not taken for it.
fn what_is_there(tool: Tool, path: &OsStr) -> Option<String> {
    let entry =
        std::env::split_paths(path).map(|dir| dir.join(tool.name())).find(|e| e.exists())?;
    let what = match () {
        () if entry.is_dir() => "is a directory",
        () if is_empty(&entry) => "is empty",
        () => "is not executable",
    };
    Some(format!("{} {what}", entry.display()))
}

pub(super) fn how_to_get(tool: Tool) -> &'static str {
    match tool {
        Tool::Helm => "brew install helm, or see https://helm.sh/docs/intro/install",
        Tool::Kubectl => "brew install kubectl, or see https://kubernetes.io/docs/tasks/tools",
        Tool::Oci => {
            "pip install oci-cli, or see https://docs.oracle.com/iaas/Content/API/SDKDocs/cliinstall.htm"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn every_missing_program_is_named_with_what_stands_in_its_place() {
        let bin = tempfile::tempdir().unwrap();
        fs::create_dir(bin.path().join("helm")).unwrap();
        fs::write(bin.path().join("kubectl"), "#!/bin/sh\n").unwrap();
        fs::write(bin.path().join("oci"), "").unwrap();

        let missing =
            Programs::find([Tool::Helm, Tool::Kubectl, Tool::Oci], bin.path().as_os_str())
                .unwrap_err();

        let text = missing.to_string().replace(&bin.path().display().to_string(), "BIN");
        insta::assert_snapshot!(text, @r"
        cannot find `helm` on PATH: BIN/helm is a directory
        cannot find `kubectl` on PATH: BIN/kubectl is not executable
        cannot find `oci` on PATH: BIN/oci is empty
        ");
        insta::assert_snapshot!(missing.hint(), @r"
        brew install helm, or see https://helm.sh/docs/intro/install
        brew install kubectl, or see https://kubernetes.io/docs/tasks/tools
        pip install oci-cli, or see https://docs.oracle.com/iaas/Content/API/SDKDocs/cliinstall.htm
        ");
    }

    #[test]
    fn a_directory_does_not_hide_the_program_behind_it() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(first.path().join("helm")).unwrap();
        let helm = second.path().join("helm");
        fs::write(&helm, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&helm, fs::Permissions::from_mode(0o755)).unwrap();

        let path = std::env::join_paths([first.path(), second.path()]).unwrap();

        let programs = Programs::find([Tool::Helm], &path).unwrap();
        assert_eq!(programs.path(Tool::Helm), Some(helm.as_path()));
    }
}
