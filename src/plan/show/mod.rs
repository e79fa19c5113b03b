//! How a plan is shown.

pub mod json;
pub mod sh;
pub mod text;

use crate::config::Config;
use crate::tools::cmd::quote;

/// The line that lets a shell's kubectl and helm find every context; empty where they find them
/// already.
pub fn kubeconfigs(config: &Config) -> String {
    let mut words: Vec<String> = Vec::new();
    let named = |path: &std::path::PathBuf| quote(&path.display().to_string());
    for cluster in &config.clusters {
        let word = cluster.kubeconfig.as_ref().map_or_else(|| OWN.to_owned(), named);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    match words.as_slice() {
        [] => String::new(),
        [word] if word == OWN => String::new(),
        words => format!("export KUBECONFIG={}\n", words.join(":")),
    }
}

/// Where kubectl looks by itself.
const OWN: &str = r#""${KUBECONFIG:-$HOME/.kube/config}""#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::fixtures::config;

    #[test]
    fn a_shell_is_told_of_every_kubeconfig_once() {
        let said = |paths: &[Option<&str>]| {
            let mut config = config();
            let cluster = config.clusters[0].clone();
            config.clusters = paths.iter().map(|_| cluster.clone()).collect();
            for (cluster, path) in config.clusters.iter_mut().zip(paths) {
                cluster.kubeconfig = path.map(Into::into);
            }
            kubeconfigs(&config)
        };
        assert_eq!(said(&[None, None]), "");
        assert_eq!(said(&[Some("/a b"), Some("/a b")]), "export KUBECONFIG='/a b'\n");
        assert_eq!(
            said(&[Some("/sin"), None, Some("/syd")]),
            "export KUBECONFIG=/sin:\"${KUBECONFIG:-$HOME/.kube/config}\":/syd\n"
        );
    }
}
