//! How a plan is shown.

pub mod json;
pub mod sh;
pub mod text;

use crate::config::Config;
use crate::tools::cmd::quote;

/// The line that lets a shell's kubectl and helm find the context; empty where they find it already.
pub fn kubeconfig(config: &Config) -> String {
    let named = config.clusters.first().and_then(|cluster| cluster.kubeconfig.as_ref());
    let line = |path: &std::path::PathBuf| {
        format!("export KUBECONFIG={}\n", quote(&path.display().to_string()))
    };
    named.map(line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::fixtures::config;

    #[test]
    fn a_shell_is_told_of_a_kubeconfig_that_is_named() {
        let mut config = config();
        config.clusters[0].kubeconfig = None;
        assert_eq!(kubeconfig(&config), "");
        config.clusters[0].kubeconfig = Some("/a b".into());
        assert_eq!(kubeconfig(&config), "export KUBECONFIG='/a b'\n");
    }
}
