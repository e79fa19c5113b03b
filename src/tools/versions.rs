//! The versions of helm and kubectl: how a tool is asked for its own, and which ones are too old.

use semver::Version;
use serde_json::Value;

use super::cmd::{Cmd, Tool};

/// The oldest version that knows everything that is asked of it, see docs/tested.md; none: any will do.
pub fn oldest(tool: Tool) -> Option<Version> {
    match tool {
        Tool::Helm => Some(Version::new(3, 11, 0)),
        Tool::Kubectl => Some(Version::new(1, 28, 0)),
        Tool::Oci => None,
    }
}

/// Asks a tool for its version. It asks no cluster.
pub fn ask(tool: Tool) -> Cmd {
    match tool {
        Tool::Helm => Cmd::new(tool, ["version", "--template", "{{.Version}}"]),
        Tool::Kubectl => Cmd::new(tool, ["version", "--client", "-o", "json"]),
        Tool::Oci => Cmd::new(tool, ["--version"]),
    }
}

/// The version in the answer to [`ask`]; none: the answer is something else. What wrappers print
/// before it is passed over.
pub fn read(tool: Tool, stdout: &str) -> Option<Version> {
    let version = match tool {
        Tool::Helm | Tool::Oci => stdout.trim_end().lines().next_back()?.trim().to_owned(),
        Tool::Kubectl => {
            let (_, json) = stdout.split_at(stdout.find('{')?);
            let answer: Value = serde_json::from_str(json).ok()?;
            answer["clientVersion"]["gitVersion"].as_str()?.to_owned()
        }
    };
    Version::parse(version.strip_prefix('v').unwrap_or(&version)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_behind_whatever_comes_before_it() {
        let helm = |stdout| read(Tool::Helm, stdout).map(|version| version.to_string());
        let kubectl =
            |version: &str| format!(r#"{{"clientVersion": {{"gitVersion": "{version}"}}}}"#);
        let of_kubectl =
            |stdout: &str| read(Tool::Kubectl, stdout).map(|version| version.to_string());
        assert_eq!(helm("v4.3.1").as_deref(), Some("4.3.1"));
        assert_eq!(helm("welcome to ACME v1.0.0\nv3.19.0+g1\n").as_deref(), Some("3.19.0+g1"));
        assert_eq!(of_kubectl(&kubectl("v1.37.1")).as_deref(), Some("1.37.1"));
        let banner = format!("ACME's kubectl v0.1.0\n{}\n", kubectl("v1.31.2-eks-94953ac"));
        assert_eq!(of_kubectl(&banner).as_deref(), Some("1.31.2-eks-94953ac"));
        for stdout in ["", "v99", "<html>", "v3.19.0\nwelcome to ACME", "{{.Version}}"] {
            assert_eq!(helm(stdout), None, "{stdout}");
            assert_eq!(of_kubectl(stdout), None, "{stdout}");
        }
    }
}
