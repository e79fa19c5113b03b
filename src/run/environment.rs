//! What a child finds in its environment: okemon's own, less what would lead it astray.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::exec::Place;
use crate::tools::cmd::{Cmd, Tool};

/// Names that no child inherits. `OKEMON_*` can hold secrets; `HELM_*` can name another cluster,
/// namespace or storage than the plan does; the rest change what kubectl takes a command to mean.
const PREFIXES: [&str; 2] = ["OKEMON_", "HELM_"];
const NAMES: [&str; 4] = ["KUBECONFIG", "KUBERC", "KUBECTL_KUBERC", "KUBECTL_EXTERNAL_DIFF"];

#[derive(Debug)]
pub(super) struct Environment {
    common: BTreeMap<OsString, OsString>,
    helm: Vec<(&'static str, PathBuf)>,
    /// The user's own `KUBECONFIG`.
    kubeconfig: Option<OsString>,
}

impl Environment {
    /// `own` is okemon's environment, `home` the run's private directory.
    pub(super) fn new(own: &BTreeMap<OsString, OsString>, home: &Path) -> Self {
        let kept = |name: &OsStr| {
            let bytes = name.as_encoded_bytes();
            !PREFIXES.iter().any(|prefix| bytes.starts_with(prefix.as_bytes()))
                && !NAMES.iter().any(|other| name == *other)
        };
        let mut common: BTreeMap<_, _> = own
            .iter()
            .filter(|(name, _)| kept(name))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        // Defaults and aliases of the user's own would make kubectl do something else than shown.
        common.insert("KUBERC".into(), "off".into());
        // What a tool leaves when it is ended goes with the run.
        common.insert("TMPDIR".into(), home.into());

        let mut helm = vec![
            ("HELM_CONFIG_HOME", home.join("helm/config")),
            ("HELM_CACHE_HOME", home.join("helm/cache")),
            ("HELM_DATA_HOME", home.join("helm/data")),
        ];
        helm.extend(registry_logins(own).map(|file| ("HELM_REGISTRY_CONFIG", file)));
        Self { common, helm, kubeconfig: own.get(OsStr::new("KUBECONFIG")).cloned() }
    }

    /// The whole environment for `cmd`, which talks to a cluster at `place`.
    pub(super) fn child(&self, cmd: &Cmd, place: Option<&Place>) -> BTreeMap<OsString, OsString> {
        let mut child = self.common.clone();
        if cmd.tool == Tool::Helm {
            child.extend(self.helm.iter().map(|(name, path)| ((*name).into(), path.into())));
        }
        if cmd.cluster.is_some() {
            let kubeconfig = place.and_then(|place| place.kubeconfig.as_ref());
            let kubeconfig = kubeconfig.or(self.kubeconfig.as_ref());
            child.extend(kubeconfig.map(|files| ("KUBECONFIG".into(), files.clone())));
        }
        child
    }
}

/// The file where `helm registry login` keeps the user's logins: private registries go on working
/// although helm gets a home of its own.
fn registry_logins(own: &BTreeMap<OsString, OsString>) -> Option<PathBuf> {
    let set = |name: &str| own.get(OsStr::new(name)).filter(|v| !v.is_empty()).map(PathBuf::from);
    let user_default = if cfg!(target_os = "macos") { "Library/Preferences" } else { ".config" };
    set("HELM_REGISTRY_CONFIG").or_else(|| {
        let config = set("HELM_CONFIG_HOME")
            .or_else(|| set("XDG_CONFIG_HOME").map(|config| config.join("helm")))
            .or_else(|| set("HOME").map(|home| home.join(user_default).join("helm")))?;
        Some(config.join("registry/config.json"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(environment: &BTreeMap<OsString, OsString>) -> String {
        let line = |(k, v): (&OsString, &OsString)| format!("{}={}\n", k.display(), v.display());
        environment.iter().map(line).collect()
    }

    fn own(pairs: &[(&str, &str)]) -> BTreeMap<OsString, OsString> {
        pairs.iter().map(|(k, v)| (k.into(), v.into())).collect()
    }

    #[test]
    fn helm_gets_homes_of_its_own_and_the_logins_of_the_user() {
        let own = own(&[
            ("HELM_CONFIG_HOME", "/home/opc/helm"),
            ("HELM_NAMESPACE", "elsewhere"),
            ("HTTPS_PROXY", "http://proxy:3128"),
            ("KUBECONFIG", "/home/opc/kubeconfig"),
            ("OKEMON_S3_SECRET_KEY", "secret"),
            ("PATH", "/usr/bin"),
        ]);
        let environment = Environment::new(&own, Path::new("/tmp/okemon-1"));
        let helm = environment.child(&Cmd::new(Tool::Helm, ["version"]), None);
        insta::assert_snapshot!(lines(&helm), @"
        HELM_CACHE_HOME=/tmp/okemon-1/helm/cache
        HELM_CONFIG_HOME=/tmp/okemon-1/helm/config
        HELM_DATA_HOME=/tmp/okemon-1/helm/data
        HELM_REGISTRY_CONFIG=/home/opc/helm/registry/config.json
        HTTPS_PROXY=http://proxy:3128
        KUBERC=off
        PATH=/usr/bin
        TMPDIR=/tmp/okemon-1
        ");
    }

    #[test]
    fn kubectl_keeps_nothing_that_changes_what_a_command_means() {
        let own = own(&[
            ("KUBECTL_EXTERNAL_DIFF", "colordiff"),
            ("KUBECTL_KUBERC", "true"),
            ("KUBERC", "/home/opc/kuberc"),
            ("PATH", "/usr/bin"),
        ]);
        let environment = Environment::new(&own, Path::new("/tmp/okemon-1"));
        let kubectl = environment.child(&Cmd::new(Tool::Kubectl, ["version"]), None);
        insta::assert_snapshot!(lines(&kubectl), @"
        KUBERC=off
        PATH=/usr/bin
        TMPDIR=/tmp/okemon-1
        ");
    }
}
