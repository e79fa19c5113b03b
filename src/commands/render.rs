//! `okemon render DIR`: values, manifests and dashboards as files, with the plain commands, for
//! `GitOps` or for going on without okemon.

use std::io;
use std::path::Path;

use super::plan;
use crate::config::Config;
use crate::environment::Environment;
use crate::fail::{Exit, Fail};
use crate::plan::show::sh;

/// The first line of the README by which okemon knows a directory as its own.
const MARK: &str = "# What okemon installs\n";

/// Writes the files, and says which.
///
/// # Errors
/// When the directory holds something else, or cannot be written.
pub fn render(
    config: &Config,
    environment: &Environment,
    skip_crds: bool,
    directory: &Path,
) -> Result<String, Fail> {
    let config = &wherever(config.clone());
    let (plan, notes) = plan::plan(config, environment, None, skip_crds)?;
    let about = plan::about(config, &notes);
    let kubeconfig = config.clusters.first().and_then(|cluster| cluster.kubeconfig.as_deref());
    let rendered = sh::render(&plan, &about, kubeconfig)
        .map_err(|error| Fail::new(Exit::Failed, format!("rendering the plan: {error:#}")))?;
    let cannot = |path: &Path, error: &io::Error| {
        Fail::system(Exit::Failed, format!("writing into {}", path.display()), error)
    };
    if !is_ours(directory).map_err(|error| cannot(directory, &error))? {
        let error = format!("writing into {}: it holds something else", directory.display());
        let fail = Fail::new(Exit::Refused, error);
        return Err(fail.hint("name a directory that is new or empty"));
    }
    let commands: String = after_head(&rendered.script);
    let mut files = rendered.files;
    files.insert("README.md".to_owned(), readme(&about, &commands, files.keys()));
    files.insert("install.sh".to_owned(), rendered.script);
    for (path, text) in &files {
        let path = directory.join(path);
        let parent = path.parent().unwrap_or(directory);
        let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| cannot(&path, &error))?;
    }
    Ok(files.keys().map(|path| format!("{}\n", directory.join(path).display())).collect())
}

/// The same configuration for a script that is run in another directory.
fn wherever(mut config: Config) -> Config {
    let kubeconfigs = config.clusters.iter_mut().map(|cluster| &mut cluster.kubeconfig);
    for path in kubeconfigs.chain([&mut config.chart_directory]).flatten() {
        if let Ok(absolute) = std::path::absolute(&*path) {
            *path = absolute;
        }
    }
    config
}

/// Whether nothing would be lost: the directory is not there, empty, or was rendered before.
fn is_ours(directory: &Path) -> io::Result<bool> {
    match std::fs::read_to_string(directory.join("README.md")) {
        Ok(text) => return Ok(text.starts_with(MARK)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    match std::fs::read_dir(directory) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// The commands of a script, without what every script begins with.
fn after_head(script: &str) -> String {
    script.find("\n# look at").map_or("", |start| &script[start + 1..]).to_owned()
}

fn readme<'a>(about: &[String], commands: &str, files: impl Iterator<Item = &'a String>) -> String {
    let about: String = about.iter().map(|line| format!("- {line}\n")).collect();
    let files: String = files.map(|file| format!("- `{file}`\n")).collect();
    format!(
        "{MARK}\n{about}\n## Files\n\n{files}\n## Install\n\n\
         On an empty cluster, with kubectl, helm, openssl and curl:\n\n\
         ```sh\nexport OKEMON_S3_ACCESS_KEY=... OKEMON_S3_SECRET_KEY=...\nsh install.sh\n```\n\n\
         What it runs, after it has taken the keys from the environment:\n\n```sh\n{commands}```\n"
    )
}
